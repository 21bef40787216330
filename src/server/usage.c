/* server/usage.c - what a process uses of the machine. See usage.h. */
#include "server/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/figures.h"

/* Of /proc/PID/stat, proc(5): counted from the state, which follows the name in parentheses. */
#define FIELD_UTIME 12
#define FIELD_STIME 13
#define FIELD_RSS   22

bool usage_of(int pid, struct usage *usage)
{
    char path[40], text[1024];
    uint64_t fields[FIELD_RSS] = {0};
    *usage = (struct usage){0};
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n < 0 ? 0 : n] = '\0';
    char *at = strrchr(text, ')'); /* the name may hold anything */
    if (at == NULL || strlen(at) < 4)
        return false;
    at += 3; /* ") S" */
    for (int i = 1; i < FIELD_RSS; i++)
        fields[i] = strtoull(at, &at, 10);
    uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
    usage->cpu_us = (fields[FIELD_UTIME - 1] + fields[FIELD_STIME - 1]) * 1000000 / ticks;
    usage->rss_bytes = fields[FIELD_RSS - 1] * (uint64_t)sysconf(_SC_PAGESIZE);
    return true;
}

void usage_of_place(const struct worker_figures *place, struct usage *usage)
{
    /* until nobody was replaced meanwhile: its time would be missing, or there twice. The process
     * that ends is in neither place for a moment, which is the supervisor's next statement. */
    for (int tries = 0; tries < 50; tries++) {
        if (tries > 2)
            usleep(100);
        uint64_t pid = atomic_load(&place->pid);
        uint64_t former = atomic_load(&place->former_cpu_us);
        *usage = (struct usage){0};
        bool seen = pid == 0 || usage_of((int)pid, usage);
        usage->cpu_us += former;
        if (seen && atomic_load(&place->pid) == pid && atomic_load(&place->former_cpu_us) == former)
            return;
    }
}
