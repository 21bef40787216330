/* server/privilege.h - the user and group that workers run as.
 *
 * Place in the flow: resolved in the supervisor before anything is opened, so that a mistake ends
 * the start; put on in each worker after the fork. The supervisor keeps its own.
 */
#ifndef QLUA_SERVER_PRIVILEGE_H
#define QLUA_SERVER_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

struct config;
struct err;

struct privilege {
    bool has_user;
    bool has_group;
    uid_t uid;
    gid_t gid;
    bool dump_core; /* rlimit_core asks for core files */
    char name[64];  /* the user's, for its further groups; "" when it has no name */
};

/* Look up the settings `user` and `group`. 0, or err. */
int privilege_resolve(struct privilege *privilege, const struct config *config, struct err *err);

/* Become them, for good. 0 or a negative errno. */
int privilege_drop(const struct privilege *privilege);

#endif
