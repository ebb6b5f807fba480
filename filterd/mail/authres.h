/* authres.h: Authentication-Results (RFC 8601): writing ours, knowing forged
 * ones.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

/* Builds the value of one field, folded with LF and spaces. */
typedef struct MailAuthres {
    GString *text;
} MailAuthres;

void mail_authres_init(MailAuthres *authres, const char *authserv_id);
/* Every value is quoted or encoded where it is not a token or a plain address;
 * a comment is escaped. Nothing put in can add a result. */
void mail_authres_add(MailAuthres *authres, const char *method,
                      const char *result, const char *comment,
                      const FilterdProperty *properties, gsize length);
/* The same for later: what it adds. Caller frees. */
char *mail_authres_result(const char *method, const char *result,
                          const char *comment,
                          const FilterdProperty *properties, gsize length);
void mail_authres_add_result(MailAuthres *authres, const char *result);
/* The value, "; none" without results; ends the builder. Caller frees. */
char *mail_authres_end(MailAuthres *authres);

/* Whether the field is an Authentication-Results that claims `authserv_id`
 * (RFC 8601 5) whatever its case, folding, comments, quoting, version, final
 * dot, U-labels; or has a version that is not 1; or cannot be parsed and might
 * claim it. */
gboolean mail_authres_forged(const FilterdField *field,
                             const char *authserv_id);
