/* server/version.h - `qlua --version`: qlua's version and its libraries'.
 *
 * Place in the flow: main.c prints it. The one place that includes the libraries' headers only to
 * ask for their versions; nothing else of them is used here.
 */
#ifndef QLUA_SERVER_VERSION_H
#define QLUA_SERVER_VERSION_H

#define QLUA_VERSION "0.1.0"

/* One line a library, to standard output; those loaded at run time tell their own version. */
void version_print(void);

#endif
