/* net/signal.h - signals as events of the loop.
 *
 * Place in the flow: the worker listens to those that end it. A signal caught here is caught by a
 * handler, not blocked: programs that an app starts begin with an empty mask.
 */
#ifndef QLUA_NET_SIGNAL_H
#define QLUA_NET_SIGNAL_H

struct loop;
struct signal_watch;

/* Call fn(data, number) from the loop whenever the signal arrives. NULL when it cannot be caught.
 */
struct signal_watch *signal_watch_new(struct loop *loop, int number,
                                      void (*fn)(void *data, int number), void *data);
void signal_watch_free(struct signal_watch *watch);

#endif
