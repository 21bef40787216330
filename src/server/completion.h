/* server/completion.h - completion of the command line in bash, zsh and fish.
 *
 * Place in the flow: `qlua completion SHELL` prints what the shell is to know; `make install` keeps
 * it where the shells look. All of it is made from the table of options.c.
 */
#ifndef QLUA_SERVER_COMPLETION_H
#define QLUA_SERVER_COMPLETION_H

#include <stdbool.h>

/* Print the completion for "bash", "zsh" or "fish"; false for any other. */
bool completion_print(const char *shell);

#endif
