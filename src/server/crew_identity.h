/* server/crew_identity.h - what the service shows of itself over TLS, handed to the workers.
 *
 * Place in the flow: the supervisor's server/identity.h changes; crew.c's tick then sends it to
 * every worker that was started with, or was sent, another one.
 */
#ifndef QLUA_SERVER_CREW_IDENTITY_H
#define QLUA_SERVER_CREW_IDENTITY_H

struct crew;
struct member;

/* A process is forked: it inherits what there is. */
void crew_identity_inherit(const struct crew *crew, struct member *member);

/* Send it to those who have an older one. A worker that takes no messages at the moment is sent it
 * at a later tick. */
void crew_identity_tick(struct crew *crew);

#endif
