/* base/processors.c - how many processors this process may keep busy. See processors.h. */
#include "base/processors.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

/* A machine with more has to name its number of workers. */
#define MOST 8192
#define PATH 4096

static int affinity(void)
{
    cpu_set_t *set = CPU_ALLOC(MOST);
    if (set == NULL)
        return 1;
    size_t size = CPU_ALLOC_SIZE(MOST);
    int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 1;
    CPU_FREE(set);
    return count < 1 ? 1 : count;
}

/* Two numbers of a group: of one file (version 2: "QUOTA PERIOD"), or of two (version 1). */
static bool read_pair(const char *folder, const char *first, const char *second, long long *quota,
                      long long *period)
{
    char path[PATH + 64];
    int found = 0;
    snprintf(path, sizeof(path), "%s/%s", folder, first);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    found = fscanf(file, second == NULL ? "%lld %lld" : "%lld", quota, period);
    fclose(file);
    if (second == NULL)
        return found == 2; /* "max 100000": no quota */
    snprintf(path, sizeof(path), "%s/%s", folder, second);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool both = found == 1 && fscanf(file, "%lld", period) == 1;
    fclose(file);
    return both;
}

/* The least quota of the group's folder and those above it, up to the mount, and of `least`. */
static int least_of(char *folder, size_t mount_len, bool version2, int least)
{
    for (;;) {
        long long quota;
        long long period;
        bool found =
            version2 ? read_pair(folder, "cpu.max", NULL, &quota, &period)
                     : read_pair(folder, "cpu.cfs_quota_us", "cpu.cfs_period_us", &quota, &period);
        if (found && quota > 0 && period > 0) { /* -1: no quota */
            long long count = quota / period + (quota % period != 0);
            if (count <= MOST && (least == 0 || count < least))
                least = (int)count;
        }
        char *slash = strrchr(folder + mount_len, '/');
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

/* One line: "0::/group" of version 2, "4:cpu,cpuacct:/group" of version 1. */
static int look_at(struct slice line, const char *root, int least)
{
    char folder[PATH];
    slice_split(&line, ':');
    struct slice controllers = slice_split(&line, ':');
    struct slice rest = controllers;
    bool version2 = controllers.len == 0;
    bool cpu = version2;
    while (rest.len > 0)
        cpu = slice_eq(slice_split(&rest, ','), SLICE("cpu")) || cpu;
    if (!cpu)
        return least;
    while (line.len > 0 && line.data[line.len - 1] == '/')
        line.len--;
    int len = snprintf(folder, sizeof(folder), "%s%s%.*s", root, version2 ? "" : "/",
                       (int)controllers.len, controllers.data);
    if (len < 0 || (size_t)len + line.len >= sizeof(folder))
        return least;
    memcpy(folder + len, line.data, line.len);
    folder[(size_t)len + line.len] = '\0';
    return least_of(folder, (size_t)len, version2, least);
}

int processors_quota(const char *groups, const char *root)
{
    char line[PATH];
    int least = 0;
    FILE *file = fopen(groups, "re");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        least = look_at(slice_cstr(line), root, least);
    }
    fclose(file);
    return least;
}

int processors_usable(void)
{
    int count = affinity();
    int quota = processors_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    return quota > 0 && quota < count ? quota : count;
}
