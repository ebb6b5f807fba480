/* smtp-mechanism.c: tests of whom SASL's first responses name.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-mechanism.h"

#include <string.h>

typedef struct Row {
    const char *name, *mechanism;
    const char *response; /* C escapes */
    const char *user;     /* NULL: not legal */
} Row;

#define DIGEST "0123456789abcdef0123456789abcdef"

static const Row rows[] = {
    {"plain", "PLAIN", "\\000joe\\000secret", "joe"},
    {"plain-authorization-is-not-the-name", "PLAIN", "ann\\000joe\\000secret",
     "joe"},
    {"plain-utf8", "plain", "\\000j\\303\\266\\000secret", "j\303\266"},
    {"plain-with-control", "PLAIN", "\\000jo\\ne\\000secret", NULL},
    {"plain-with-c1-control", "PLAIN", "\\000jo\\302\\205e\\000secret", NULL},
    {"plain-with-broken-utf8", "PLAIN", "\\000jo\\303\\000secret", NULL},
    {"plain-without-name", "PLAIN", "\\000\\000secret", NULL},
    {"plain-without-password", "PLAIN", "\\000joe\\000", NULL},
    {"plain-with-four-parts", "PLAIN", "\\000joe\\000secret\\000ann", NULL},
    {"plain-with-two-parts", "PLAIN", "joe\\000secret", NULL},
    {"plain-empty", "PLAIN", "", NULL},
    {"login", "LOGIN", "joe@example.com", "joe@example.com"},
    {"login-empty", "LOGIN", "", NULL},
    {"login-with-nul", "LOGIN", "joe\\000ann", NULL},
    {"cram", "CRAM-MD5", "joe " DIGEST, "joe"},
    {"cram-with-a-space-in-the-name", "CRAM-MD5", "joe doe " DIGEST, "joe doe"},
    {"cram-without-name", "CRAM-MD5", " " DIGEST, NULL},
    {"cram-without-digest", "CRAM-MD5", "joe", NULL},
    {"cram-with-a-bad-digest", "CRAM-MD5",
     "joe 0123456789abcdef0123456789abcdeg", NULL},
    {"scram", "SCRAM-SHA-1", "n,,n=joe,r=abc", "joe"},
    {"scram-that-could-bind", "SCRAM-SHA-256", "y,,n=joe,r=abc", "joe"},
    {"scram-with-authorization", "SCRAM-SHA-256", "n,a=ann,n=joe,r=abc", "joe"},
    {"scram-with-escapes", "SCRAM-SHA-256", "n,,n=a=2Cb=3Dc,r=x", "a,b=c"},
    {"scram-with-a-bad-escape", "SCRAM-SHA-256", "n,,n=a=2cb,r=x", NULL},
    {"scram-with-an-equals-sign", "SCRAM-SHA-256", "n,,n=a=,r=x", NULL},
    {"scram-with-channel-binding", "SCRAM-SHA-256", "p=tls-unique,,n=joe,r=abc",
     NULL},
    {"scram-with-an-extension", "SCRAM-SHA-256", "n,,m=x,n=joe,r=abc", NULL},
    {"scram-without-nonce", "SCRAM-SHA-256", "n,,n=joe", NULL},
    {"scram-with-another-authorization", "SCRAM-SHA-256", "n,ann,n=joe,r=abc",
     NULL},
    {"xoauth2", "XOAUTH2", "user=joe@b.test\\1auth=Bearer abc==\\1\\1",
     "joe@b.test"},
    {"xoauth2-with-a-second-name", "XOAUTH2",
     "user=joe\\1auth=Bearer abc\\1user=ann\\1\\1", NULL},
    {"xoauth2-without-end", "XOAUTH2", "user=joe\\1auth=Bearer abc\\1", NULL},
    {"oauthbearer", "OAUTHBEARER",
     "n,a=joe@b.test,\\1host=b\\1auth=Bearer abc\\1\\1", "joe@b.test"},
    {"oauthbearer-without-name", "OAUTHBEARER", "n,,\\1auth=Bearer abc\\1\\1",
     NULL},
    {"oauthbearer-with-a-second-name", "OAUTHBEARER",
     "n,a=joe,\\1user=ann\\1auth=Bearer abc\\1\\1", NULL},
    {"external-is-not-relayed", "EXTERNAL", NULL, NULL},
    {"plus-is-not-relayed", "SCRAM-SHA-256-PLUS", NULL, NULL},
    {"anonymous-is-not-relayed", "ANONYMOUS", NULL, NULL},
    {"layers-are-not-relayed", "DIGEST-MD5", NULL, NULL},
    {"half-a-name-is-none", "PLAI", NULL, NULL},
};

/* "\000" is a NUL; g_strcompress() would end there. */
static GString *
octets_of(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "\\000", 0);
    GString *octets = g_string_new(NULL);
    for (unsigned i = 0; parts[i] != NULL; i++) {
        g_autofree char *part = g_strcompress(parts[i]);
        if (i > 0)
            g_string_append_c(octets, '\0');
        g_string_append(octets, part);
    }
    return octets;
}

/* Nothing is read behind its end. */
static void
test_row(gconstpointer data)
{
    const Row *row = data;
    int mechanism = smtp_mechanism_find(row->mechanism, strlen(row->mechanism));
    g_assert_true((mechanism < 0) == (row->response == NULL));
    if (mechanism < 0)
        return;
    g_autoptr(GString) octets = octets_of(row->response);
    g_autofree char *exact = g_memdup2(octets->str, octets->len);
    g_autofree char *user =
        smtp_mechanism_user((unsigned)mechanism, exact, octets->len);
    g_assert_cmpstr(user, ==, row->user);
}

static void
test_limit(void)
{
    int login = smtp_mechanism_find("LOGIN", 5);
    for (gsize more = 0; more < 2; more++) {
        g_autofree char *name = g_strnfill(SMTP_USER_LIMIT + more, 'x');
        g_autofree char *user =
            smtp_mechanism_user((unsigned)login, name, strlen(name));
        g_assert_true((user != NULL) == (more == 0));
    }
}

static void
test_first(void)
{
    for (unsigned i = 0; i < SMTP_MECHANISMS; i++)
        g_assert_true(smtp_mechanism_begins(i)
                      == (strcmp(smtp_mechanism_names[i], "CRAM-MD5") != 0));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path =
            g_strconcat("/wire/smtp-mechanism/", rows[i].name, NULL);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    g_test_add_func("/wire/smtp-mechanism/names-have-an-end", test_limit);
    g_test_add_func("/wire/smtp-mechanism/only-a-challenge-comes-before-cram",
                    test_first);
    return g_test_run();
}
