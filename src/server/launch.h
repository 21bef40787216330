/* server/launch.h - how this process was started, so that the same can be started once more.
 *
 * Place in the flow: main.c notes it before anything else, while arguments, environment and
 * working folder are as they were given; upgrade.c starts the new program with it. What a former
 * server handed over (inherit.h) is taken out of the environment here, before an app can see it.
 */
#ifndef QLUA_SERVER_LAUNCH_H
#define QLUA_SERVER_LAUNCH_H

#include "net/inherit.h"

struct err;

struct launch {
    char **argv;           /* main's */
    char **environment;    /* as it was given, less what was meant for this process alone */
    char *folder;          /* working folder, by the name under which we were started */
    char *program;         /* absolute path of the program, links not followed */
    struct inherited from; /* what a former server hands over */
};

/* 0, or err. */
int launch_note(struct launch *launch, char **argv, struct err *err);
void launch_clear(struct launch *launch);

/* In a fork: become the program that is at `program` now, with the same arguments, folder and
 * environment and one variable more, "NAME=value". Does not return but with a negative errno. */
int launch_again(const struct launch *launch, char *variable);

#endif
