/* value/json_scan.h - JSON text (RFC 8259) as a stream of events.
 *
 * Place in the flow: value/json builds Lua values on it, server/config reads the config file
 * with it. Knows no Lua and builds nothing. Strict: no comments, no trailing commas, no NaN or
 * Infinity, one value a text. Strings arrive decoded (escapes, surrogate pairs; a lone surrogate
 * is U+FFFD); bytes that are not UTF-8 are an error. Not recursive.
 */
#ifndef QLUA_VALUE_JSON_SCAN_H
#define QLUA_VALUE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct err;

/* The greatest max_depth that json_scan accepts. */
#define JSON_SCAN_MAX_DEPTH 1024

/* Called in the order of the text; `data` is json_scan's. All ten events must be set. A callback
 * returns 0, or a negative code that ends the scan. A slice lives until its callback returns. */
struct json_handler {
    int (*on_null)(void *data);
    int (*on_bool)(void *data, bool value);
    int (*on_int)(void *data, int64_t value);   /* no fraction, no exponent, fits */
    int (*on_number)(void *data, double value); /* every other number; finite */
    int (*on_string)(void *data, struct slice text);
    int (*on_object)(void *data);
    int (*on_key)(void *data, struct slice name);
    int (*on_object_end)(void *data);
    int (*on_array)(void *data);
    int (*on_array_end)(void *data);
    /* May be NULL. Memory of `size` bytes for decoding a string with escapes, to live until the
     * scan's end; a later call asks for more and makes the former memory void. For handlers that
     * can jump out of a callback (a Lua error): they own what the scan would leak. */
    void *(*scratch)(void *data, size_t size);
};

/* Scan text. max_depth (1..JSON_SCAN_MAX_DEPTH) bounds how deep arrays and objects nest.
 * Returns 0, QLUA_ESYNTAX, QLUA_ELIMIT (too deep) or what a callback returned. err (may be NULL)
 * gets message, line and column (in characters); when a callback ended the scan, its own err is
 * kept and only the place of the event is added. */
int json_scan(struct slice text, const struct json_handler *handler, void *data, unsigned max_depth,
              struct err *err);

#endif
