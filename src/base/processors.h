/* base/processors.h - how many processors this process may keep busy.
 *
 * Place in the flow: server/config settles `workers` = "auto" by it.
 */
#ifndef QLUA_BASE_PROCESSORS_H
#define QLUA_BASE_PROCESSORS_H

/* Those that the scheduler may use for us (taskset, cpusets), at most as many as the control group
 * has processor time for (containers, systemd's CPUQuota), rounded up; at least 1. */
int processors_usable(void);

/* The least quota of the control groups named in the file `groups` (/proc/self/cgroup) and of those
 * above them, in processors, rounded up; 0: there is none. `root` is where the control groups are
 * (/sys/fs/cgroup), of version 1 or 2. */
int processors_quota(const char *groups, const char *root);

#endif
