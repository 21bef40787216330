/* server/crew_reload.h - a reload of the workers: who is asked, who has answered, who is gone.
 *
 * Place in the flow: the supervisor's server/reload.h decides through it; crew.c hands over what
 * workers say about it. A process that must be replaced altogether (a C module has changed) is
 * replaced as one that reached max_requests: the new one is ready before the old one stops.
 */
#ifndef QLUA_SERVER_CREW_RELOAD_H
#define QLUA_SERVER_CREW_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

struct control_message;
struct crew;
struct member;
struct reload;

/* struct reload's ask and decide; data is the crew. */
unsigned crew_reload_ask(void *crew, uint32_t number, int scope);
unsigned crew_reload_decide(void *crew, uint32_t number, bool commit);

/* What a member says that is not about its own life. */
void crew_reload_message(struct crew *crew, struct member *member,
                         const struct control_message *message, uint64_t now);
/* The member will not answer any more: it ends, or has ended. */
void crew_reload_lose(struct crew *crew, struct member *member, uint64_t now);

#endif
