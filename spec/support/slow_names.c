/* spec/support/slow_names.c - getaddrinfo for specs, preloaded into a server: names that take time.
 *
 * "slow.test" is 127.0.0.1, but that takes 5 s to find out; "two.test" is 127.0.0.2 first, and then
 * 127.0.0.1. Every other name is the C library's.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int lookup_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    lookup_fn *lookup = (lookup_fn *)dlsym(RTLD_NEXT, "getaddrinfo");
    if (node != NULL && strcmp(node, "slow.test") == 0) {
        sleep(5);
        node = "127.0.0.1";
    }
    if (node == NULL || strcmp(node, "two.test") != 0)
        return lookup(node, service, hints, found);
    int rc = lookup("127.0.0.2", service, hints, found);
    return rc != 0 ? rc : lookup("127.0.0.1", service, hints, &(*found)->ai_next);
}
