/* server/testing.h - the servers behind the test client of a generation.
 *
 * Place in the flow: server/generation makes the bench with each generation; bind/testing.c feeds
 * its requests, which take the same way through dispatch as those of the worker's connections.
 */
#ifndef QLUA_SERVER_TESTING_H
#define QLUA_SERVER_TESTING_H

#include <stdbool.h>

struct config;
struct generation;

/* Give the generation a bench: generation->tests. */
void testing_init(struct generation *generation, const struct config *config);
/* End what test clients have open; over when the loop has turned. */
void testing_abort(struct generation *generation);
bool testing_is_over(const struct generation *generation);
/* End what test clients have open and turn the loop until it has ended. Before the owner lets go
 * of the generation; not from inside the loop. */
void testing_end(struct generation *generation);
/* Free the bench; no connection may be left. */
void testing_clear(struct generation *generation);

#endif
