/* privileges.c: finds the user to become, and becomes that user.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's own number for whom it does not know. */
#define NOBODY 65534

static gboolean
fail(GError **error, const char *what)
{
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                "%s: %s", what, g_strerror(errno));
    return FALSE;
}

static gboolean
find_user(const char *name, Privileges *found, GError **error)
{
    errno = 0;
    const struct passwd *user = getpwnam(name);
    if (user == NULL) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                    "there is no user “%s”", name);
        return FALSE;
    }
    found->uid = user->pw_uid;
    found->gid = user->pw_gid;
    return TRUE;
}

static gboolean
find_group(const char *name, Privileges *found, GError **error)
{
    const struct group *group = getgrnam(name);
    if (group == NULL) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                    "there is no group “%s”", name);
        return FALSE;
    }
    found->gid = group->gr_gid;
    return TRUE;
}

static gboolean
find_both(const PolicySettings *settings, Privileges *found, const char **word,
          GError **error)
{
    *word = "user";
    if (settings->user != NULL && !find_user(settings->user, found, error))
        return FALSE;
    *word = "group";
    return settings->group == NULL || find_group(settings->group, found, error);
}

gboolean
privileges_exist(const PolicySettings *settings, const char **word,
                 GError **error)
{
    Privileges found;
    return find_both(settings, &found, word, error);
}

void
privileges_of_nobody(Privileges *privileges)
{
    gboolean root = geteuid() == 0;
    *privileges = (Privileges){
        .drop = root,
        .uid = root ? NOBODY : geteuid(),
        .gid = root ? NOBODY : getegid(),
    };
}

gboolean
privileges_find(const PolicySettings *settings, Privileges *privileges,
                const char **word, GError **error)
{
    Privileges found = {.uid = geteuid(), .gid = getegid()};
    if (!find_both(settings, &found, word, error))
        return FALSE;
    *word = settings->user != NULL ? "user" : "group";
    gboolean other = found.uid != geteuid() || found.gid != getegid();
    if (other && geteuid() != 0) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_PERM,
                            "only root can become another user");
        return FALSE;
    }
    found.drop = other;
    *privileges = found;
    return TRUE;
}

gboolean
privileges_equal(const Privileges *a, const Privileges *b)
{
    return a->drop == b->drop && a->uid == b->uid && a->gid == b->gid;
}

static gboolean
have_only(uint32_t capabilities)
{
    struct __user_cap_header_struct header = {0};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = capabilities, .permitted = capabilities}};
    header.version = _LINUX_CAPABILITY_VERSION_3;
    return syscall(SYS_capset, &header, sets) == 0;
}

/* Nothing else; nothing at all where it is not to be had, which the check of
 * the configuration tells. */
static gboolean
keep_net_admin(void)
{
    return have_only(1u << CAP_NET_ADMIN) || have_only(0);
}

static gboolean
become(const Privileges *privileges, GError **error)
{
    if (privileges->foreign && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
        return fail(error, "PR_SET_KEEPCAPS");
    if (setgroups(1, &privileges->gid) != 0)
        return fail(error, "setgroups");
    if (setresgid(privileges->gid, privileges->gid, privileges->gid) != 0)
        return fail(error, "setgid");
    if (setresuid(privileges->uid, privileges->uid, privileges->uid) != 0)
        return fail(error, "setuid");
    if (privileges->foreign && !keep_net_admin())
        return fail(error, "capset: CAP_NET_ADMIN");
    if (privileges->uid != 0 && (setuid(0) == 0 || seteuid(0) == 0)) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_PERM,
                            "root could be had back");
        return FALSE;
    }
    return TRUE;
}

void
privileges_borrow(const Privileges *privileges)
{
    if (!privileges->drop)
        return;
    setfsgid(privileges->gid);
    setfsuid(privileges->uid);
}

void
privileges_return(void)
{
    setfsuid(geteuid());
    setfsgid(getegid());
}

gboolean
privileges_drop(const Privileges *privileges, GError **error)
{
    if (privileges->drop && !become(privileges, error))
        return FALSE;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(error, "PR_SET_NO_NEW_PRIVS");
    return TRUE;
}
