/* http/compress.h - gzip (RFC 1952) as a stream, its states kept for the next answer.
 *
 * Place in the flow: http/answer_coded feeds a compressor with a body, piece by piece, and sends
 * what comes out. A state is 256 KB large, so a worker keeps some, and has an upper limit of them
 * at work. The one door to zlib for HTTP.
 */
#ifndef QLUA_HTTP_COMPRESS_H
#define QLUA_HTTP_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct compressor;

/* How many a worker has at work at most (67 MB); further answers go out as they are. */
#define COMPRESSORS_MAX 256

/* A worker's compressors; zeroed at first. */
struct compressors {
    struct compressor *spare;
    uint32_t spares;
    uint32_t busy;
};

/* One to begin a body with, or NULL when too many are at work. To be given back. */
struct compressor *compressors_take(struct compressors *compressors);
void compressors_give(struct compressors *compressors, struct compressor **compressor);
/* Free the spare ones; none may be at work. */
void compressors_clear(struct compressors *compressors);

enum compress_mode {
    COMPRESS_ON,    /* more follows: what comes out now is the compressor's choice */
    COMPRESS_FLUSH, /* all that went in comes out: the reader can have it */
    COMPRESS_END    /* the body ends with this input */
};

/* Compress input, of which what is taken is cut off, into the `size` bytes at dst. Returns how
 * many were written. When they are all used there may be more to come: call again, with the same
 * mode and what is left of the input. */
size_t compressor_run(struct compressor *compressor, struct slice *input, enum compress_mode mode,
                      char *dst, size_t size);

/* The most bytes that `length` may become, with COMPRESS_END alone. */
size_t compressor_bound(struct compressor *compressor, size_t length);

#endif
