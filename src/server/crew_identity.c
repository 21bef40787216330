/* server/crew_identity.c - what the service shows of itself over TLS, handed to the workers. See
 * crew_identity.h. */
#include "server/crew_identity.h"

#include <errno.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "server/control.h"
#include "server/crew.h"
#include "server/identity.h"

void crew_identity_inherit(const struct crew *crew, struct member *member)
{
    if (crew->identity != NULL)
        member->identity = crew->identity->version;
}

static void send_to(const struct crew *crew, struct member *member, int passed)
{
    int rc = control_send_fd(member->control_fd, CONTROL_IDENTITY, 0, passed);
    if (rc == -EAGAIN)
        return; /* it is busy: later */
    member->identity = crew->identity->version;
    if (rc != 0 && rc != -EPIPE)
        log_write(crew->log, LOG_ERROR, "worker %d was not sent the new certificate: %s",
                  member->id, err_text(rc));
}

void crew_identity_tick(struct crew *crew)
{
    int passed = -1;
    for (size_t i = 0; crew->identity != NULL && i < crew->count; i++) {
        struct member *member = &crew->members[i];
        if (member->control_fd < 0 || member->identity == crew->identity->version)
            continue;
        if (passed < 0)
            passed = identity_pack(crew->identity);
        if (passed < 0) {
            log_write(crew->log, LOG_ERROR, "a new certificate cannot be handed to the workers: %s",
                      err_text(passed));
            return;
        }
        send_to(crew, member, passed);
    }
    if (passed >= 0)
        close(passed);
}
