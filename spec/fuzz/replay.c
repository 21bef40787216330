/* spec/fuzz/replay.c - a main() that gives files to a fuzz target, once each.
 *
 * Built with the same NAME_fuzz.c as the fuzzer, by any compiler: `make test` and `make sanitize`
 * replay corpus and former crashes through it. Usage: build/replay/NAME FILE...
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

/* The bytes of a file, in a block of exactly that size, so that a sanitizer sees overreads. */
static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*size > 0 ? *size : 1);
    if (data == NULL || fread(data, 1, *size, file) != *size) {
        perror(path);
        exit(2);
    }
    fclose(file);
    return data;
}

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize != NULL)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        size_t size;
        uint8_t *data = read_file(argv[i], &size);
        fprintf(stderr, "%s\n", argv[i]); /* the last one named is the one that crashed */
        LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
    return 0;
}
