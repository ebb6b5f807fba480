/* privileges.h: who the processes that touch mail are.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/config.h"

#include <sys/types.h>

typedef struct Privileges {
    gboolean drop; /* else everybody stays who started filterd */
    uid_t uid;
    gid_t gid;
    gboolean foreign; /* CAP_NET_ADMIN is kept: addresses of others are used */
} Privileges;

/* What `set user` and `set group` mean here. The error says which of the two
 * words, `word`, is to blame. */
gboolean privileges_find(const PolicySettings *settings, Privileges *privileges,
                         const char **word, GError **error);
/* The same where nobody is to become somebody: whether there are these two. */
gboolean privileges_exist(const PolicySettings *settings, const char **word,
                          GError **error);
/* Of an account that owns nothing, where root can become that. */
void privileges_of_nobody(Privileges *privileges);
gboolean privileges_equal(const Privileges *a, const Privileges *b);

/* Until it is returned, files are touched as that user, who so cannot lead the
 * master to what others own. */
void privileges_borrow(const Privileges *privileges);
void privileges_return(void);

/* For good: no way back is left, nor to more by running another program. */
gboolean privileges_drop(const Privileges *privileges, GError **error);
