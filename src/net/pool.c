/* net/pool.c - work that would stop the loop, done in a thread of the pool. See pool.h. */
#include "net/pool.h"

#include <stdlib.h>

#include "base/mem.h"
#include "net/net_internal.h"

struct pool_job {
    uv_work_t work;
    void (*run)(void *data);
    void (*done)(void *data);
    void *data;
};

/* In a thread of the pool. */
static void on_work(uv_work_t *work)
{
    struct pool_job *job = work->data;
    job->run(job->data);
}

static void on_done(uv_work_t *work, int status)
{
    (void)status; /* nobody cancels it */
    struct pool_job *job = work->data;
    job->done(job->data);
    free(job);
}

int pool_run(struct loop *loop, void (*work)(void *data), void (*done)(void *data), void *data)
{
    struct pool_job *job = mem_alloc(sizeof(*job));
    *job = (struct pool_job){.run = work, .done = done, .data = data};
    job->work.data = job;
    int rc = uv_queue_work(&loop->uv, &job->work, on_work, on_done);
    if (rc != 0)
        free(job);
    return rc;
}
