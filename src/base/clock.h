/* base/clock.h - what time it is, and how HTTP writes it.
 *
 * Place in the flow: deadlines use the monotonic clock, dates the real one. Values come in as
 * arguments where specs must set them; only the worker's tick reads the clocks per request.
 */
#ifndef QLUA_BASE_CLOCK_H
#define QLUA_BASE_CLOCK_H

#include <stdint.h>

#include "base/slice.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define CLOCK_DATE_LEN 29

/* Monotonic milliseconds; monotonic nanoseconds; seconds and milliseconds since 1970. A new second
 * begins when it does for everybody who asks for parts of one, not up to a tick later as with
 * time(3): who signs elsewhere on this machine must not seem to do so in the future. */
uint64_t clock_ms(void);
uint64_t clock_ns(void);
int64_t clock_seconds(void);
int64_t clock_date_ms(void);

/* Write the IMF-fixdate (RFC 9110 5.6.7) of `seconds` since 1970 to dst: CLOCK_DATE_LEN bytes,
 * no NUL. Years are clamped to 0..9999. */
void clock_http_date(int64_t seconds, char *dst);

/* Read an HTTP date in any of the three forms of RFC 9110 5.6.7 (a two-digit year is taken
 * within 50 years after now). Returns 0 and *seconds, or QLUA_ESYNTAX. */
int clock_parse_http_date(struct slice text, int64_t now, int64_t *seconds);

#endif
