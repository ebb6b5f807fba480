/* mail-address.c: fuzzes paths and domains: what is emitted reads the same.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/address.h"
#include "filterd/mail/domain.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_domain(const char *bytes, size_t length)
{
    g_autofree char *once = mail_domain_normalize(bytes, length);
    if (once == NULL)
        return;
    g_autofree char *twice = mail_domain_normalize(once, -1);
    g_assert_cmpstr(once, ==, twice);
    g_assert_true(mail_domain_valid(once));
}

static void
check_address(const MailAddress *address, MailPath path)
{
    MailAddress again;
    for (const char *at = address->text; *at != '\0'; at++)
        g_assert_false(g_ascii_iscntrl(*at));
    g_assert_true(mail_address_parse_bare(address->text, path, &again, NULL));
    g_assert_cmpstr(address->text, ==, again.text);
    g_assert_cmpstr(address->local, ==, again.local);
    g_assert_cmpstr(address->domain, ==, again.domain);
    mail_address_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    g_autofree char *text = g_strndup((const char *)bytes, length);
    check_domain((const char *)bytes, length);
    mail_domain_valid(text);
    mail_domain_literal_valid(text, strlen(text));
    for (unsigned i = 0; i < 4; i++) {
        MailAddress address;
        const char *end;
        g_autoptr(GError) error = NULL;
        MailPath path = i & 1 ? MAIL_FORWARD_PATH : MAIL_REVERSE_PATH;
        if (!mail_address_parse(text, path, i & 2, &address, &end, &error))
            continue;
        g_assert_true(end <= text + strlen(text));
        check_address(&address, path);
        mail_address_clear(&address);
    }
    return 0;
}
