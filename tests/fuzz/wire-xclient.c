/* wire-xclient.c: fuzzes the attributes of XCLIENT and XFORWARD: what is
 * refused changes nothing, what is taken is clean and can be said again.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/domain.h"
#include "filterd/wire/smtp-xclient.h"
#include "filterd/wire/xclient-parser.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_clean(const char *text)
{
    g_assert_true(g_utf8_validate(text, -1, NULL));
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        g_assert_false(g_unichar_iscntrl(g_utf8_get_char(p)));
}

static const char *
or_null(const char *text)
{
    return *text != '\0' ? text : NULL;
}

/* By what the backends are told, all of it. */
static void
check_again(const XclientPeer *peer)
{
    const SmtpIdentity identity = {
        .ip = peer->ip,
        .port = peer->port,
        .local_ip = peer->local_ip,
        .local_port = peer->local_port,
        .name = or_null(peer->name),
        .helo = or_null(peer->helo),
        .login = or_null(peer->login),
        .esmtp = peer->protocol != XCLIENT_SMTP,
    };
    XclientPeer again = {0};
    g_autofree char *command =
        smtp_xclient_format(XCLIENT_ATTRIBUTES, &identity);
    g_assert_true(xclient_parse(command + strlen("XCLIENT "), &again));
    g_assert_true(ip_equal(&again.ip, &peer->ip));
    g_assert_cmpuint(again.port, ==, peer->port);
    g_assert_cmpstr(again.name, ==, peer->name);
    g_assert_cmpstr(again.helo, ==, peer->helo);
    g_assert_cmpstr(again.login, ==, peer->login);
}

/* The first octet says which of them it is. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    XclientPeer peer = {.port = 9, .name = "old.test", .login = "joe"};
    if (length == 0)
        return 0;
    ip_parse("192.0.2.1", &peer.ip);
    ip_parse("192.0.2.25", &peer.local_ip);
    const XclientPeer before = peer;
    g_autofree char *text = g_strndup((const char *)bytes + 1, length - 1);
    gboolean taken =
        (*bytes == 'F' ? xforward_parse : xclient_parse)(text, &peer);
    if (!taken) {
        g_assert_cmpmem(&peer, sizeof peer, &before, sizeof before);
        return 0;
    }
    check_clean(peer.login);
    check_clean(peer.helo);
    g_assert_true(*peer.name == '\0' || mail_domain_valid(peer.name));
    check_again(&peer);
    return 0;
}
