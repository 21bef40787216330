/* server/process.c - forking a worker. See process.h. */
#include "server/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"
#include "server/figures.h"
#include "server/log_files.h"
#include "server/privilege.h"
#include "server/worker.h"

static void on_ignored(int number)
{
    (void)number;
}

/* A terminal sends these to the whole group, but the supervisor decides. They are caught, not
 * ignored: an ignored signal stays ignored in the programs that an app starts. */
static void catch_signals(void)
{
    static const int caught[] = {SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
    struct sigaction action = {.sa_handler = on_ignored, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
        sigaction(caught[i], &action, NULL);
}

static int run_child(const struct worker_start *start, const struct privilege *privilege,
                     pid_t parent)
{
    int rc = privilege_drop(privilege);
    if (rc != 0) {
        log_write(&start->files->log, LOG_CRITICAL,
                  "worker %d cannot become the configured user: %s", start->id, err_text(rc));
        return WORKER_EXIT_FAILED;
    }
    /* after the change of user, which clears it; and the parent may have died before */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        return WORKER_EXIT_FAILED;
    catch_signals();
    int code = worker_run(start);
    counter_set(&start->figures->over, 1);
    log_files_close(start->files); /* what waits for a slow reader */
    return code;
}

pid_t process_fork(const struct worker_start *start, const struct privilege *privilege,
                   void (*in_child)(void *data), void *data)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid > 0)
        return pid;
    in_child(data);
    log_files_enter_worker(start->files, start->id);
    exit(run_child(start, privilege, parent));
}
