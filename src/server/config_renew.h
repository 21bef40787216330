/* server/config_renew.h - the settings read anew while the server runs.
 *
 * Place in the flow: a worker reads them before it loads new code (server/generations) and takes
 * them over when that serves; so does the supervisor. What needs new sockets, processes or
 * privileges counts from the next start on: SETTING_LIVE in the table says which does not.
 */
#ifndef QLUA_SERVER_CONFIG_RENEW_H
#define QLUA_SERVER_CONFIG_RENEW_H

#include "server/config.h"

/* Read the layers below the command line again: defaults, config file, .env (whose variables are
 * set anew in this process) and environment. What the command line gave stays. `renewed` borrows
 * from `running`; config_clear it, after an error too. 0, or err: then the variables are as they
 * were. -EACCES: this process may not read them (any more). */
int config_renew(struct config *renewed, const struct config *running, struct err *err);

/* Take over what may change now, and the app keys of the file. Texts are copied. The names of
 * other settings that differ are appended to `fixed` ("port, workers"), which may be NULL. */
void config_adopt(struct config *config, const struct config *renewed, struct buf *fixed);

#endif
