/* server/launch.c - how this process was started. See launch.h. */
#include "server/launch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

#define SELF    "/proc/self/exe"
#define DELETED " (deleted)"

/* Variables that are true of one process only. */
static const char *const own_variables[] = {INHERIT_VARIABLE, "LISTEN_PID", "LISTEN_FDS",
                                            "LISTEN_FDNAMES", "WATCHDOG_PID"};

static bool is_own(const char *entry)
{
    for (size_t i = 0; i < sizeof(own_variables) / sizeof(own_variables[0]); i++) {
        size_t len = strlen(own_variables[i]);
        if (strncmp(entry, own_variables[i], len) == 0 && entry[len] == '=')
            return true;
    }
    return false;
}

/* The list is copied, the texts stay where the kernel put them. */
static char **copy_environment(char **from)
{
    size_t count = 0;
    while (from[count] != NULL)
        count++;
    char **copy = mem_array(count + 2, sizeof(*copy)); /* room for one more */
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_own(from[i]))
            copy[n++] = from[i];
    return copy;
}

static bool is_same_file(const char *one, const char *other)
{
    struct stat a;
    struct stat b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* The folder as the shell names it, where a link that is switched over may be part of the name. */
static char *find_folder(void)
{
    char path[PATH_MAX];
    const char *name = getenv("PWD");
    if (name != NULL && name[0] == '/' && is_same_file(name, "."))
        return mem_strdup(name);
    return mem_strdup(getcwd(path, sizeof(path)) != NULL ? path : "/");
}

/* Write "folder/name"; whether that is the program which runs here. */
static bool is_program(char path[PATH_MAX], const char *folder, size_t folder_len, const char *name)
{
    int len = name[0] == '/' ? snprintf(path, PATH_MAX, "%s", name)
                             : snprintf(path, PATH_MAX, "%.*s/%s", (int)folder_len, folder, name);
    return len > 0 && len < PATH_MAX && path[0] == '/' && is_same_file(path, SELF);
}

/* By the name we were called: a link then leads to whatever it leads to later. */
static bool find_by_name(char path[PATH_MAX], const char *folder, const char *name)
{
    if (name == NULL || name[0] == '\0')
        return false;
    if (strchr(name, '/') != NULL)
        return is_program(path, folder, strlen(folder), name);
    const char *at = getenv("PATH");
    while (at != NULL && at[0] != '\0') {
        size_t len = strcspn(at, ":");
        if (is_program(path, at, len, name))
            return true;
        at += len + (at[len] == ':');
    }
    return false;
}

static char *find_program(const char *folder, const char *name)
{
    char path[PATH_MAX];
    if (find_by_name(path, folder, name))
        return mem_strdup(path);
    ssize_t n = readlink(SELF, path, sizeof(path) - 1);
    if (n <= 0)
        return mem_strdup(SELF);
    size_t len = (size_t)n;
    size_t mark = sizeof(DELETED) - 1;
    path[len] = '\0';
    /* the file was replaced already: its name is what counts */
    if (len > mark && strcmp(path + len - mark, DELETED) == 0 && access(path, F_OK) != 0)
        path[len - mark] = '\0';
    return mem_strdup(path);
}

int launch_note(struct launch *launch, char **argv, struct err *err)
{
    *launch = (struct launch){.argv = argv};
    launch->environment = copy_environment(environ);
    launch->folder = find_folder();
    launch->program = find_program(launch->folder, argv[0]);
    const char *text = getenv(INHERIT_VARIABLE);
    int rc = inherit_read(&launch->from, text, err);
    unsetenv(INHERIT_VARIABLE);
    return rc;
}

void launch_clear(struct launch *launch)
{
    inherit_clear(&launch->from);
    free((void *)launch->environment);
    free(launch->folder);
    free(launch->program);
}

int launch_again(const struct launch *launch, char *variable)
{
    size_t count = 0;
    if (chdir(launch->folder) != 0)
        return -errno;
    while (launch->environment[count] != NULL)
        count++;
    launch->environment[count] = variable;
    execve(launch->program, launch->argv, launch->environment);
    return -errno;
}
