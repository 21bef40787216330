/* server/profiling.h - a worker's part in `qlua profile`.
 *
 * Place in the flow: the supervisor (supervisor_profile.c) sends CONTROL_PROFILE with a file in
 * memory; renewal.c brings it here; the generation that serves takes the profile
 * (bind/profile.h), and when it is over it is written into the file as one line, whose end says
 * that it is whole. With --workers 0 the message comes from the same process.
 */
#ifndef QLUA_SERVER_PROFILING_H
#define QLUA_SERVER_PROFILING_H

struct control_message;
struct generation;

struct profiling {
    struct generation *generation;
    int fd; /* of the file; only while a profile is taken */
};

/* Begin what the message says; of no generation (NULL) there is only an error to write. */
void profiling_begin(struct profiling *profiling, struct generation *serving,
                     const struct control_message *message);

#endif
