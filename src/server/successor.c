/* server/successor.c - the new server's side of an upgrade. See successor.h. */
#include "server/successor.h"

#include <unistd.h>

#include "net/inherit.h"
#include "server/control.h"

/* The descriptor beside a message to where it belongs (NULL: nowhere). */
static void keep_fd(int *to, const struct control_message *message)
{
    if (to != NULL)
        *to = message->fd;
    else if (message->fd >= 0)
        close(message->fd);
}

void successor_init(struct successor *successor, struct inherited *inherited)
{
    struct control_message message;
    *successor = (struct successor){.channel = inherited->channel, .tickets = -1, .guard = -1};
    successor->waits = inherited->channel >= 0;
    inherited->channel = -1;
    if (successor->waits && control_receive(successor->channel, &message) > 0)
        keep_fd(message.type == CONTROL_GUARD ? &successor->guard : NULL, &message);
}

void successor_close(struct successor *successor)
{
    if (successor->channel >= 0)
        close(successor->channel);
    if (successor->tickets >= 0)
        close(successor->tickets);
    if (successor->guard >= 0)
        close(successor->guard);
    successor->channel = successor->tickets = successor->guard = -1;
}

/* The former server is gone, or has said all. */
static void end_channel(struct successor *successor)
{
    close(successor->channel);
    successor->channel = -1;
    successor->waits = false;
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
        if (message.type != CONTROL_COMMIT) {
            keep_fd(NULL, &message);
            continue;
        }
        successor->former = (pid_t)message.value;
        keep_fd(&successor->tickets, &message);
        end_channel(successor);
    }
    if (rc < 0) /* it has died: there is nobody to wait for */
        end_channel(successor);
}
