/* server/dotenv.h - the file .env beside the app.
 *
 * Place in the flow: main.c reads it before the environment is looked at and before any process
 * is forked, server/config_renew at a reload. Knows nothing of settings.
 *
 * Lines are NAME=VALUE, with an optional "export " before and blanks around the "=". A value is
 * bare (a blank and "#" begin a comment), 'single' (as it stands) or "double" (\n, \t, \\, \" and
 * \$ are escapes); the quoted forms may go over several lines. Nothing is expanded.
 */
#ifndef QLUA_SERVER_DOTENV_H
#define QLUA_SERVER_DOTENV_H

#include <stdbool.h>

#include "base/slice.h"

struct err;

/* Does QLUA_SKIP_DOTENV want the file left alone? */
bool dotenv_is_skipped(void);

/* Called with the name of each variable that was set. */
typedef void dotenv_on_set(void *data, const char *name);

/* Set the variables in `text` that are not set yet. 0, or err with the line. */
int dotenv_apply(struct slice text, dotenv_on_set *on_set, void *data, struct err *err);

/* The same for the file .env in `folder`; a missing file is no error. */
int dotenv_load(const char *folder, dotenv_on_set *on_set, void *data, struct err *err);

#endif
