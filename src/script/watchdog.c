/* script/watchdog.c - ends a task that never gives the processor back. See watchdog.h. */
#include "script/watchdog.h"

#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "script/memory.h"
#include "script/profile.h"
#include "script/slice.h"
#include "script/state.h"
#include "script/task.h"

#define TICK_NS   10000000
#define SECOND_NS 1000000000
/* While a profile is taken; the kernel makes no smaller steps than its own. */
#define PROFILE_TICK_NS 1000000
/* What a stopped request gets on top: a share of its limit, between these. */
#define EXTENSION_SHARE 5
#define EXTENSION_LEAST 50000000
#define EXTENSION_MOST  SECOND_NS
/* What a thread that computes still gets of a busy processor: an eighth. */
#define BUSY_SHARE 8
/* Line mode. The interval is of no matter: its timer is stopped at once, ours ticks. */
#define PROFILE_MODE "li1000"

struct watchdog {
    timer_t timer;
    pthread_t thread;             /* where Lua runs */
    struct sigaction before;      /* SIGPROF's, until we came */
    void (*leave_trace)(int);     /* the profiler's handler of SIGPROF: compiled code is left at its
                                     next line; NULL while no state has the profiler */
    struct script *profiled;      /* the state that has it */
    struct script *first;         /* those that are watched */
    int64_t seen;                 /* the thread's time at the last tick ... */
    uint64_t seen_ns;             /* ... and everybody's */
    uint64_t turn;                /* of the loop: when Lua ran outside of tasks at the last tick */
    struct script *interruptible; /* watchdog_catch_interrupt's, or NULL */
    int interrupt_fd;
    struct sigaction before_interrupt; /* SIGINT's */
    struct profile *profile;           /* being taken of `profiled`; else NULL */
    const struct watchdog_labels *labels;
    int64_t profile_began;     /* the thread's time */
    volatile uint64_t sampled; /* id of the task that ran at the last tick */
    volatile uint64_t label;   /* ... and what for */
};

/* A signal's handler has no argument of its own. */
static struct watchdog *watchdog;

static int64_t thread_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* ---- budgets ---- */

bool cpu_budget_is_over(const struct cpu_budget *budget)
{
    return budget->limit != 0 && budget->used >= budget->limit + TICK_NS;
}

void cpu_budget_extend(struct cpu_budget *budget)
{
    int64_t more = budget->limit / EXTENSION_SHARE;
    if (budget->limit == 0)
        return;
    more = more < EXTENSION_LEAST ? EXTENSION_LEAST : more;
    budget->limit = budget->used + (more > EXTENSION_MOST ? EXTENSION_MOST : more);
}

/* Whose time it is: the running task's, or that of Lua outside of tasks. */
static struct cpu_budget *budget_of(struct script *script)
{
    return script->running == NULL ? &script->outside : script->running->budget;
}

/* ---- the error ---- */

static const char *const rules[] = {
    [CPU_REQUEST] = "the request has used %f seconds of processor time, all that its route's "
                    "cpu_limit or the server setting handler_cpu_limit allows",
    [CPU_SLICE] = "it used %f seconds of processor time without a wait, more than the server "
                  "setting handler_cpu_limit allows",
    [CPU_LOADING] = "loading takes longer than %f seconds, three quarters of the server setting "
                    "start_timeout",
};

/* Push where L is and why it is stopped there. */
static void push_text(lua_State *L, const struct cpu_budget *budget)
{
    task_push_place(L);
    lua_pushliteral(L, "stopped here: ");
    lua_pushfstring(L, rules[budget->kind], (double)budget->limit / SECOND_NS);
    lua_concat(L, 3);
}

/* Push the frames of L, a coroutine of the task, and those of the task's own. */
static void push_frames(lua_State *L, const struct task *task)
{
    luaL_traceback(L, L, NULL, 0);
    if (L == task->L)
        return;
    luaL_gsub(L, lua_tostring(L, -1), "stack traceback:", "stack traceback of a coroutine:");
    lua_replace(L, -2);
    lua_pushliteral(L, "\n");
    luaL_traceback(L, task->L, NULL, 0);
    lua_concat(L, 3);
}

/* Have the error on top note what only Lua knows of the place; it does without that where nothing
 * can be called any more. */
static void note_more(lua_State *L)
{
    if (!lua_checkstack(L, 4))
        return;
    lua_getfield(L, -1, "_noted");
    lua_pushvalue(L, -2);
    if (lua_pcall(L, 1, 0, 0) != 0)
        lua_pop(L, 1);
}

/* Note where the task is: the error keeps it, whatever is unwound on the way. The error is an
 * instance of the class that Lua gave (core.set_stopped). */
static void note_place(lua_State *L, struct task *task)
{
    lua_createtable(L, 0, 2);
    push_text(L, task->budget);
    lua_setfield(L, -2, "message");
    push_frames(L, task);
    lua_setfield(L, -2, "frames");
    lua_rawgeti(L, LUA_REGISTRYINDEX, task->script->stopped_ref);
    lua_setmetatable(L, -2);
    note_more(L);
    task->stop_ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

void watchdog_push_error(lua_State *L, const struct task *task)
{
    if (task->stop_ref != LUA_NOREF)
        lua_rawgeti(L, LUA_REGISTRYINDEX, task->stop_ref);
    else
        lua_pushliteral(L, "stopped: its processor time is used up");
}

void watchdog_forget(struct task *task)
{
    luaL_unref(task->script->L, LUA_REGISTRYINDEX, task->stop_ref);
    task->stop_ref = LUA_NOREF;
    task->stopped = false;
}

/* ---- stopping ---- */

void watchdog_disarm(struct script *script)
{
    script->armed = false;
    lua_sethook(script->L, NULL, 0, 0);
    slice_hook(script);
}

void watchdog_settle(struct script *script)
{
    if (!script->armed || script->running != NULL)
        return;
    script->outside.used = 0;
    watchdog_disarm(script);
}

/* The next Lua instruction of whoever had its time. */
static void on_hook(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    struct script *script = script_of(L);
    struct task *task = script->running;
    if (!cpu_budget_is_over(budget_of(script))) {
        watchdog_disarm(script); /* armed when another ran */
        return;
    }
    if (task == NULL) {
        push_text(L, &script->outside);
        lua_error(L);
    }
    task->stopped = true;
    if (task->stop_ref == LUA_NOREF && script->stopped_ref != LUA_NOREF)
        note_place(L, task);
    if (lua_isyieldable(L)) {
        lua_yield(L, 0);
        return;
    }
    memory_raise(L); /* for any other error xpcall calls its handler, with hooks off */
    lua_pushliteral(L, "stopped");
    lua_error(L);
}

/* From the signal. lua_sethook may be called there, as luajit's own handler of SIGINT does. Should
 * it have come between two steps of LuaJIT which undo it, the next tick comes again. */
static void arm(struct watchdog *w, struct script *script)
{
    script->armed = true;
    lua_sethook(script->L, on_hook, LUA_MASKCOUNT, 1);
    if (w->profiled == script)
        w->leave_trace(SIGPROF);
}

/* Lua that runs outside of tasks (custom converters, tostring for a log line) counts from the
 * beginning of the loop's turn. */
static void charge_outside(struct watchdog *w, int64_t spent)
{
    for (struct script *script = w->first; script != NULL; script = script->next_watched) {
        bool is_same = loop_now(script->loop) == w->turn;
        script->outside.used = is_same ? script->outside.used + spent : 0;
        if (cpu_budget_is_over(&script->outside))
            arm(w, script);
    }
    if (w->first != NULL)
        w->turn = loop_now(w->first->loop);
}

/* start_timeout goes by the wall's clock, and a busy machine may make that much faster; while the
 * task waits, ticks are far between. */
static int64_t loading_time(int64_t spent, int64_t passed)
{
    return passed < spent * BUSY_SHARE ? passed : spent * BUSY_SHARE;
}

/* LuaJIT calls back at the next line; it keeps count, and what the state was doing. */
static void sample(struct watchdog *w, const struct script *script)
{
    if (script == NULL) {
        profile_outside(w->profile, 1);
    } else if (script == w->profiled) {
        w->sampled = script->running->id;
        w->label = w->labels->number(script->running);
        w->leave_trace(SIGPROF);
    }
}

static void on_tick(int number)
{
    (void)number;
    int kept = errno;
    struct watchdog *w = watchdog;
    if (w == NULL || !pthread_equal(pthread_self(), w->thread))
        return; /* from somebody else, for the process: not our timer's, which is the thread's */
    int64_t now = thread_time();
    uint64_t now_ns = clock_ns();
    int64_t spent = now - w->seen, passed = (int64_t)(now_ns - w->seen_ns);
    w->seen = now;
    w->seen_ns = now_ns;
    struct script *script = w->first;
    while (script != NULL && script->running == NULL)
        script = script->next_watched;
    if (script == NULL) {
        charge_outside(w, spent);
    } else {
        struct cpu_budget *budget = script->running->budget;
        budget->used += budget->kind == CPU_LOADING ? loading_time(spent, passed) : spent;
        if (cpu_budget_is_over(budget))
            arm(w, script);
    }
    if (w->profile != NULL)
        sample(w, script);
    errno = kept;
}

/* SIGINT: whoever runs has used up all it had; who waits is told through the descriptor. */
static void on_interrupt(int number)
{
    (void)number;
    int kept = errno;
    uint64_t one = 1;
    struct watchdog *w = watchdog;
    struct script *script = w == NULL ? NULL : w->interruptible;
    if (script == NULL)
        return;
    struct task *task = script->running;
    if (task != NULL && !task->is_spared) {
        task->budget->limit = 1;
        task->budget->used = INT64_MAX / 2;
        arm(w, script);
    }
    if (write(w->interrupt_fd, &one, sizeof(one)) < 0)
        errno = kept; /* it is readable already */
    errno = kept;
}

void watchdog_catch_interrupt(struct script *script, int fd)
{
    struct watchdog *w = watchdog;
    if (w == NULL)
        return;
    if (w->interruptible != NULL)
        sigaction(SIGINT, &w->before_interrupt, NULL);
    w->interruptible = script;
    w->interrupt_fd = fd;
    if (script == NULL)
        return;
    struct sigaction ours = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    sigemptyset(&ours.sa_mask);
    sigaddset(&ours.sa_mask, SIGPROF); /* no tick meanwhile */
    sigaction(SIGINT, &ours, &w->before_interrupt);
}

/* ---- the profiler ---- */

/* Compiled code has been left: that is all it is for when no profile is taken. After a tick at the
 * very end of a task it is another that runs: only what the first was for is known. */
static void on_profile(void *data, lua_State *L, int samples, int vmstate)
{
    struct watchdog *w = data;
    if (w->profile == NULL || samples <= 0)
        return;
    char room[256];
    struct script *script = w->profiled;
    const struct task *task = script->running;
    struct slice label = w->labels->text(script, w->label, room, sizeof(room));
    if (task == NULL || task->id != w->sampled)
        profile_sample(w->profile, NULL, NULL, label, (unsigned)samples, vmstate);
    else
        profile_sample(w->profile, L, task->L, label, (unsigned)samples, vmstate);
}

static void set_engine(struct script *script, int mode)
{
    luaJIT_setmode(script->L, 0, LUAJIT_MODE_ENGINE | mode);
}

/* Start the profiler, and put our timer and our handler in the place of its own. */
static void profile(struct watchdog *w, struct script *script)
{
    struct sigaction ours, its;
    sigaction(SIGPROF, NULL, &ours);
    luaJIT_profile_start(script->L, PROFILE_MODE, on_profile, w);
    setitimer(ITIMER_PROF, &(struct itimerval){.it_value = {0}}, NULL);
    sigaction(SIGPROF, &ours, &its);
    w->leave_trace = its.sa_handler;
    w->profiled = script;
}

static void set_tick(const struct watchdog *w, long nanoseconds)
{
    struct timespec tick = {.tv_nsec = nanoseconds};
    timer_settime(w->timer, 0, &(struct itimerspec){.it_interval = tick, .it_value = tick}, NULL);
}

static void end_profile(struct watchdog *w)
{
    if (w->profile != NULL)
        set_tick(w, TICK_NS);
    w->profile = NULL;
}

/* What it compiled is thrown away, and with it the checks; our handler stays. */
static void unprofile(struct watchdog *w)
{
    end_profile(w);
    luaJIT_profile_stop(w->profiled->L);
    w->profiled = NULL;
    w->leave_trace = NULL;
}

/* No tick while the handler's data change. */
static void hold_ticks(bool on)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPROF);
    pthread_sigmask(on ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

/* ---- starting and ending ---- */

static struct watchdog *watchdog_new(const struct log *log)
{
    struct watchdog *w = mem_zalloc(sizeof(*w));
    w->thread = pthread_self();
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
    event._sigev_un._tid = gettid(); /* glibc 2.36 has no sigev_notify_thread_id */
    if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &w->timer) != 0) {
        log_write(log, LOG_WARNING,
                  "handler_cpu_limit is not enforced: no timer of processor time (%s)",
                  err_text(-errno));
        free(w);
        return NULL;
    }
    struct sigaction ours = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    sigemptyset(&ours.sa_mask);
    sigaction(SIGPROF, &ours, &w->before);
    w->seen = thread_time();
    w->seen_ns = clock_ns();
    set_tick(w, TICK_NS);
    return w;
}

void watchdog_start(struct script *script)
{
    if (script->watched)
        return;
    hold_ticks(true);
    if (watchdog == NULL)
        watchdog = watchdog_new(script->log);
    struct watchdog *w = watchdog;
    if (w != NULL) {
        script->watched = true;
        script->next_watched = w->first;
        w->first = script;
        if (w->profiled == NULL)
            profile(w, script);
        else
            set_engine(script, LUAJIT_MODE_OFF);
    }
    hold_ticks(false);
}

void watchdog_take(struct script *script)
{
    struct watchdog *w = watchdog;
    if (!script->watched || w->profiled == script)
        return;
    hold_ticks(true);
    if (w->profiled != NULL) {
        set_engine(w->profiled, LUAJIT_MODE_OFF);
        unprofile(w);
    }
    profile(w, script);
    set_engine(script, LUAJIT_MODE_ON);
    hold_ticks(false);
}

bool watchdog_profile(struct script *script, struct profile *profile,
                      const struct watchdog_labels *labels)
{
    struct watchdog *w = watchdog;
    if (w == NULL || w->profiled != script || w->profile != NULL)
        return false;
    hold_ticks(true);
    w->profile = profile;
    w->labels = labels;
    w->sampled = 0;
    w->profile_began = thread_time();
    set_tick(w, PROFILE_TICK_NS);
    hold_ticks(false);
    return true;
}

void watchdog_unprofile(const struct profile *profile, int64_t *nanoseconds)
{
    struct watchdog *w = watchdog;
    *nanoseconds = 0;
    if (w == NULL || w->profile == NULL || w->profile != profile)
        return;
    hold_ticks(true);
    *nanoseconds = thread_time() - w->profile_began;
    end_profile(w);
    hold_ticks(false);
}

void watchdog_stop(struct script *script)
{
    struct watchdog *w = watchdog;
    if (!script->watched)
        return;
    hold_ticks(true);
    script->watched = false;
    if (w->profiled == script)
        unprofile(w);
    struct script **link = &w->first;
    while (*link != script)
        link = &(*link)->next_watched;
    *link = script->next_watched;
    if (w->interruptible == script)
        watchdog_catch_interrupt(NULL, -1);
    if (w->first == NULL) {
        timer_delete(w->timer);
        /* a tick that is on its way must find nothing */
        sigaction(SIGPROF, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
        sigaction(SIGPROF, &w->before, NULL);
        watchdog = NULL;
        free(w);
    }
    hold_ticks(false);
}
