/* server/identity.h - what the service shows of itself over TLS: certificate, key, and the keys of
 * its tickets.
 *
 * Place in the flow: the supervisor reads the files of the settings `cert` and `key` before
 * anybody gives up privileges, and again on SIGHUP; it makes the keys of tickets and renews them.
 * A worker inherits all that when it is forked, and is sent what is new as a descriptor over the
 * control channel. Each worker makes a net/tls.h context of it. A pair that is no good never
 * leaves here.
 */
#ifndef QLUA_SERVER_IDENTITY_H
#define QLUA_SERVER_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/tls.h"

struct config;
struct err;
struct log;

struct identity {
    const struct config *config;
    const struct log *log;
    struct buf certificates; /* as the files hold them, PEM */
    struct buf key;
    struct tls_ticket_key tickets[TLS_TICKET_KEYS]; /* newest first */
    uint32_t ntickets;
    uint64_t renewed; /* when the newest was made, monotonic milliseconds */
    int64_t expires;  /* the certificate, in seconds since 1970 */
    bool refused;     /* at the last refresh the files were no good */
    uint32_t version; /* goes up whenever something above has changed */
};

/* Read and check the files that the settings name. 0; or err, whose name is the file's. A
 * certificate that is out of its time is warned about. */
int identity_open(struct identity *identity, const struct config *config, const struct log *log,
                  uint64_t now, struct err *err);
void identity_clear(struct identity *identity);

/* Read the files anew. True: they have changed, and are in use from now on. Files that are no
 * good are logged and leave everything as it was. */
bool identity_refresh(struct identity *identity);

/* Make a new key for tickets when it is time. True: there is one. */
bool identity_renew_tickets(struct identity *identity, uint64_t now);

/* A descriptor that holds all of it, for identity_take in another process, or a negative errno. */
int identity_pack(const struct identity *identity);
/* Take over what identity_pack has packed. 0 or a negative code, then nothing has changed. */
int identity_take(struct identity *identity, int fd);

/* The same for the keys of tickets alone, which a server hands to the one that follows it: clients
 * resume there. What another version has packed otherwise is refused. */
int identity_pack_tickets(const struct identity *identity);
int identity_take_tickets(struct identity *identity, int fd);

/* A context for streams. NULL: logged. */
struct tls_context *identity_context(const struct identity *identity);

#endif
