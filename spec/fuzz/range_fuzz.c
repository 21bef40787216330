/* spec/fuzz/range_fuzz.c - Range headers of any bytes for files of any size. */
#include <assert.h>
#include <stdint.h>

#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t length, first, last;
    if (size < sizeof(length))
        return 0;
    memcpy(&length, data, sizeof(length));
    struct slice value = slice_of((const char *)data + sizeof(length), size - sizeof(length));
    switch (range_parse(value, length, &first, &last)) {
    case RANGE_IGNORED: break;
    case RANGE_SATISFIABLE: assert(first <= last && last < length); break;
    case RANGE_UNSATISFIABLE: assert(length > 0); break;
    }
    return 0;
}
