/* server/privilege.c - the user and group that workers run as. See privilege.h. */
#include "server/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"
#include "server/config.h"

/* A decimal id below 2^31, or -1 when the text is a name. */
static long id_of(const char *text)
{
    char *end;
    errno = 0;
    long id = strtol(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && id >= 0 && id <= 0x7fffffffL ? id : -1;
}

static int find_user(struct privilege *privilege, const char *user, struct err *err)
{
    long id = id_of(user);
    const struct passwd *entry = id < 0 ? getpwnam(user) : getpwuid((uid_t)id);
    if (entry == NULL && id < 0)
        return err_set(err, -ENOENT, "user \"%s\" is not known on this machine", user);
    privilege->has_user = true;
    privilege->uid = entry != NULL ? entry->pw_uid : (uid_t)id;
    if (entry != NULL) {
        privilege->has_group = true;
        privilege->gid = entry->pw_gid;
        snprintf(privilege->name, sizeof(privilege->name), "%s", entry->pw_name);
    }
    return 0;
}

static int find_group(struct privilege *privilege, const char *group, struct err *err)
{
    long id = id_of(group);
    const struct group *entry = id < 0 ? getgrnam(group) : NULL;
    if (entry == NULL && id < 0)
        return err_set(err, -ENOENT, "group \"%s\" is not known on this machine", group);
    privilege->has_group = true;
    privilege->gid = entry != NULL ? entry->gr_gid : (gid_t)id;
    return 0;
}

int privilege_resolve(struct privilege *privilege, const struct config *config, struct err *err)
{
    *privilege = (struct privilege){.dump_core = config->rlimit_core > 0};
    int rc = config->user != NULL ? find_user(privilege, config->user, err) : 0;
    if (rc == 0 && config->group != NULL)
        rc = find_group(privilege, config->group, err);
    if (rc != 0)
        return rc;
    bool same = (!privilege->has_user || privilege->uid == geteuid()) &&
                (!privilege->has_group || privilege->gid == getegid());
    if (geteuid() != 0 && !same)
        return err_set(err, -EPERM,
                       "the settings user and group need a start as root; leave them out, or start "
                       "as root");
    if (same) /* nothing to change, and setgroups would be refused */
        *privilege = (struct privilege){0};
    /* else the workers would stay in the group of who started them, which is root's */
    if (privilege->has_user && !privilege->has_group && !same)
        return err_set(err, -EINVAL,
                       "user %ld has no entry on this machine, and so no group; set group as well",
                       (long)privilege->uid);
    return 0;
}

int privilege_drop(const struct privilege *privilege)
{
    if (!privilege->has_user && !privilege->has_group)
        return 0;
    /* the further groups of the user; for a user without a name, or none, no further ones */
    int rc = privilege->name[0] != '\0' ? initgroups(privilege->name, privilege->gid)
                                        : setgroups(0, NULL);
    if (rc != 0 || (privilege->has_group && setgid(privilege->gid) != 0) ||
        (privilege->has_user && setuid(privilege->uid) != 0))
        return -errno;
    /* a user that could become root again would be none */
    if (privilege->has_user && privilege->uid != 0 && setuid(0) == 0)
        return -EPERM;
    /* the change forbids core files, which rlimit_core may have asked for */
    if (privilege->dump_core)
        prctl(PR_SET_DUMPABLE, 1);
    return 0;
}
