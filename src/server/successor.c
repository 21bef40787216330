/* server/successor.c - the new server's side of an upgrade. See successor.h. */
#include "server/successor.h"

#include <unistd.h>

#include "server/control.h"
#include "server/inherit.h"

void successor_init(struct successor *successor, struct inherited *inherited)
{
    *successor = (struct successor){.channel = inherited->channel};
    successor->waits = inherited->channel >= 0;
    inherited->channel = -1;
}

void successor_close(struct successor *successor)
{
    if (successor->channel >= 0)
        close(successor->channel);
    successor->channel = -1;
}

bool successor_may_serve(struct successor *successor)
{
    if (successor->waits && !successor->reported) {
        successor->reported = true;
        control_send(successor->channel, CONTROL_READY, 0);
    }
    return !successor->waits;
}

void successor_turn(struct successor *successor)
{
    struct control_message message;
    int rc = 0;
    while (successor->channel >= 0 && (rc = control_receive(successor->channel, &message)) > 0) {
        if (message.type != CONTROL_COMMIT)
            continue;
        successor->former = (pid_t)message.value;
        successor->waits = false;
        successor_close(successor);
    }
    if (rc < 0) { /* it has died: there is nobody to wait for */
        successor->waits = false;
        successor_close(successor);
    }
}
