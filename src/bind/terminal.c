/* bind/terminal.c - the terminal of `qlua shell`: core.is_terminal, core.terminal.
 *
 * Reading waits on the loop, so that what the shell has started goes on behind the prompt. Ctrl-C
 * is a byte while a line is edited (raw mode), and a signal while it runs: script/watchdog.c ends
 * what computes, and the shell, which waits in await_interrupt, cancels what waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "bind/bind.h"
#include "bind/check.h"
#include "net/loop.h"
#include "script/state.h"
#include "script/task.h"
#include "script/watchdog.h"

#define TERMINAL "qlua.Terminal"

#define DEFAULT_COLUMNS 80
#define READ_SIZE       4096

/* A task that waits until a descriptor is readable. */
struct awaited {
    int fd;
    int flags;     /* its own: watching makes it one that does not block */
    uint64_t task; /* its id */
    struct script *script;
    struct watch *watch; /* NULL: nobody waits */
};

struct terminal {
    struct script *script;
    struct termios cooked; /* as it was found */
    bool raw;
    int interrupts; /* eventfd: how many came */
    struct awaited input;
    struct awaited interrupt;
};

static struct terminal *check_terminal(lua_State *L)
{
    return luaL_checkudata(L, 1, TERMINAL);
}

/* core.is_terminal(fd) */
static int l_is_terminal(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

/* ---- modes ---- */

static void set_raw(struct terminal *terminal, bool on)
{
    struct termios mode = terminal->cooked;
    if (on) {
        mode.c_iflag &= (tcflag_t) ~(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
        mode.c_lflag &= (tcflag_t) ~(ECHO | ICANON | IEXTEN | ISIG);
        mode.c_cc[VMIN] = 1;
        mode.c_cc[VTIME] = 0;
    }
    tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
    terminal->raw = on;
}

/* terminal:raw(on): keys come one by one, and none is a signal */
static int l_raw(lua_State *L)
{
    struct terminal *terminal = check_terminal(L);
    bool on = lua_toboolean(L, 2);
    if (on != terminal->raw)
        set_raw(terminal, on);
    return 0;
}

/* terminal:columns() */
static int l_columns(lua_State *L)
{
    struct winsize size = {0};
    check_terminal(L);
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    lua_pushinteger(L, known ? size.ws_col : DEFAULT_COLUMNS);
    return 1;
}

/* ---- waiting ---- */

static void stop_watching(struct awaited *awaited)
{
    if (awaited->watch == NULL)
        return;
    loop_unwatch(awaited->watch);
    awaited->watch = NULL;
    fcntl(awaited->fd, F_SETFL, awaited->flags);
}

static void on_cancel(struct wait *wait)
{
    stop_watching(wait->data);
}

/* A Ctrl-C may have come when its task was about to wait: what was taken from the context's budget
 * is given back, and it has all the processor time it wants. */
static void give_time(const struct task *task)
{
    if (task != NULL && task->context != NULL && task->context->budget != NULL)
        *task->context->budget = (struct cpu_budget){.kind = task->context->budget->kind};
}

static void on_readable(void *data)
{
    struct awaited *awaited = data;
    char bytes[READ_SIZE];
    ssize_t len = read(awaited->fd, bytes, sizeof(bytes));
    if (len < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    stop_watching(awaited);
    struct task *task = task_find(awaited->script, awaited->task);
    if (task == NULL)
        return;
    give_time(task);
    if (len > 0)
        lua_pushlstring(task->L, bytes, (size_t)len); /* outside of tasks memory is not refused */
    else
        lua_pushnil(task->L);
    task_wake(task, 1);
}

static int await(lua_State *L, struct awaited *awaited)
{
    task_check_park(L);
    struct task *task = task_current(L);
    if (awaited->watch != NULL)
        return luaL_error(L, "another task waits for this terminal already");
    awaited->task = task->id;
    awaited->flags = fcntl(awaited->fd, F_GETFL);
    awaited->watch = loop_watch(awaited->script->loop, awaited->fd, on_readable, awaited);
    if (awaited->watch == NULL)
        return luaL_error(L, "this terminal cannot be waited for");
    return task_park(L, on_cancel, awaited);
}

/* terminal:read() -> true, bytes (nil at the end); waits */
static int l_read(lua_State *L)
{
    return await(L, &check_terminal(L)->input);
}

/* terminal:await_interrupt() -> true; waits for Ctrl-C, which does not end this task either */
static int l_await_interrupt(lua_State *L)
{
    task_check_park(L);
    task_current(L)->is_spared = true;
    return await(L, &check_terminal(L)->interrupt);
}

/* terminal:settle() -> had a Ctrl-C come? It has no effect any more, and the running task's context
 * has all the processor time it wants */
static int l_settle(lua_State *L)
{
    struct terminal *terminal = check_terminal(L);
    uint64_t count;
    give_time(task_current(L));
    lua_pushboolean(L, read(terminal->interrupts, &count, sizeof(count)) > 0);
    return 1;
}

/* ---- from beginning to end ---- */

static int l_gc(lua_State *L)
{
    struct terminal *terminal = check_terminal(L);
    if (terminal->raw)
        set_raw(terminal, false);
    if (terminal->interrupts < 0)
        return 0;
    watchdog_catch_interrupt(NULL, -1);
    close(terminal->interrupts);
    terminal->interrupts = -1;
    return 0;
}

/* core.terminal() -> the terminal of standard input, whose Ctrl-C is caught from now on, for all
 * tasks but this one; or nil, message, code */
static int l_terminal(lua_State *L)
{
    struct script *script = script_of(L);
    struct terminal *terminal = lua_newuserdata(L, sizeof(*terminal));
    *terminal = (struct terminal){.script = script, .interrupts = -1};
    set_metatable(L, TERMINAL);
    if (tcgetattr(STDIN_FILENO, &terminal->cooked) != 0)
        return push_failure(L, -errno);
    terminal->interrupts = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (terminal->interrupts < 0)
        return push_failure(L, -errno);
    terminal->input = (struct awaited){.fd = STDIN_FILENO, .script = script};
    terminal->interrupt = (struct awaited){.fd = terminal->interrupts, .script = script};
    watchdog_start(script);
    if (task_current(L) != NULL)
        task_current(L)->is_spared = true;
    watchdog_catch_interrupt(script, terminal->interrupts);
    return 1;
}

static const luaL_Reg methods[] = {
    {"raw", l_raw},       {"columns", l_columns},
    {"read", l_read},     {"await_interrupt", l_await_interrupt},
    {"settle", l_settle}, {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"is_terminal", l_is_terminal},
    {"terminal", l_terminal},
    {NULL, NULL},
};

void bind_terminal(lua_State *L)
{
    make_class(L, TERMINAL, methods, l_gc);
    luaL_register(L, NULL, functions);
}
