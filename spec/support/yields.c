/* spec/support/yields.c - sched_yield for specs, preloaded into a server: each call adds a byte to
 * the file $YIELDS and takes $YIELD_MS milliseconds, as if somebody else used the processor so
 * long.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int sched_yield(void)
{
    int fd = open(getenv("YIELDS"), O_WRONLY | O_CREAT | O_APPEND, 0666);
    ssize_t n = write(fd, "y", 1);
    close(fd);
    usleep((useconds_t)atoi(getenv("YIELD_MS")) * 1000);
    return n == 1 ? 0 : -1;
}
