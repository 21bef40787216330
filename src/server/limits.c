/* server/limits.c - what the system lets a process have. See limits.h. */
#include "server/limits.h"

#include <errno.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/log.h"
#include "server/config.h"

/* Descriptors of a worker that are no connections. */
#define OTHER_FILES 32

int limits_set(const struct config *config, struct err *err)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        rlim_t wanted = config->rlimit_nofile < 0 ? limit.rlim_max : (rlim_t)config->rlimit_nofile;
        limit.rlim_cur = wanted;
        if (wanted > limit.rlim_max)
            limit.rlim_max = wanted; /* root may */
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            return err_set(err, -errno, "rlimit_nofile %lld cannot be set: %s",
                           (long long)config->rlimit_nofile, err_text(-errno));
    }
    if (config->rlimit_core >= 0 && getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = (rlim_t)config->rlimit_core;
        if (limit.rlim_cur > limit.rlim_max)
            limit.rlim_max = limit.rlim_cur;
        if (setrlimit(RLIMIT_CORE, &limit) != 0)
            return err_set(err, -errno, "rlimit_core %lld cannot be set: %s",
                           (long long)config->rlimit_core, err_text(-errno));
    }
    return 0;
}

void limits_fit(struct config *config, const struct log *log, size_t listeners)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return;
    int64_t others = (int64_t)listeners + OTHER_FILES;
    int64_t most = (int64_t)limit.rlim_cur > others ? (int64_t)limit.rlim_cur - others : 1;
    if (config->max_connections <= most)
        return;
    log_write(log, LOG_INFO,
              "max_connections is %lld instead of %lld: a process may have %lld files open "
              "(rlimit_nofile)",
              (long long)most, (long long)config->max_connections, (long long)limit.rlim_cur);
    config->lowered_from = config->max_connections;
    config->max_connections = most;
}
