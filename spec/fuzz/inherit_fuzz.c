/* spec/fuzz/inherit_fuzz.c - the list of sockets that a former server hands over, of any bytes.
 * Descriptor 100 is a channel, 101 and 102 listen: inputs that name them get past the checks. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/inherit.h"

#define CHANNEL 100
#define LISTENS 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An address that the kernel chooses, without a file. */
static void open_listener(int fd)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = bind(made, (struct sockaddr *)&at, sizeof(at.sun_family));
    assert(rc == 0);
    rc = listen(made, 1);
    assert(rc == 0);
    dup2(made, fd);
    close(made);
}

/* What was taken is written again, and found again. */
static void take_all(struct inherited *inherited)
{
    struct buf list = {0};
    for (size_t i = 0; i < inherited->count; i++) {
        int fd = inherit_take(inherited, "", inherited->sockets[i].address);
        if (fd >= 0)
            inherit_write(&list, fd, "", inherited->sockets[i].address);
    }
    buf_clear(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inherited inherited;
    struct err err = {0};
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    int made = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    dup2(made, CHANNEL);
    close(made);
    for (int i = 1; i <= LISTENS; i++)
        open_listener(CHANNEL + i);
    if (inherit_read(&inherited, text, &err) == 0) {
        assert(inherited.channel == CHANNEL);
        take_all(&inherited);
        inherit_unlink_rest(&inherited);
    } else {
        assert(err.message[0] != '\0' && inherited.channel == -1 && inherited.count == 0);
    }
    inherit_clear(&inherited);
    for (int i = 0; i <= LISTENS; i++)
        close(CHANNEL + i);
    free(text);
    return 0;
}
