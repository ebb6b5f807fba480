/* sign.c: signs messages by the plugin, for verifiers of other people:
 * sign-message CANONICALIZATION FILE <message.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The message is signed by the RSA key and by the Ed25519 key.
 */
#include <stdio.h>
#include <string.h>

#include "tests/plugins/dkim/fixture.h"

static char *
read_all(void)
{
    GString *text = g_string_new(NULL);
    char buffer[65536];
    size_t length;
    while ((length = fread(buffer, 1, sizeof buffer, stdin)) > 0)
        g_string_append_len(text, buffer, (gssize)length);
    return g_string_free(text, FALSE);
}

static int
find_canonicalization(const char *word)
{
    int index = 0;
    while (strcmp(canonicalization_words[index], word) != 0)
        index++;
    return index;
}

int
main(int argc, char **argv)
{
    static const FilterdValue none = {.type = FILTERD_UNKNOWN};
    g_assert_cmpint(argc, ==, 3);
    g_test_init(&(int){1}, &(char **){argv}, NULL);
    const KeyOption keys[] = {fixture_key("rsa", "rsa2048"),
                              fixture_key("ed", "ed25519.pem")};
    Config config = fixture_signing(keys, G_N_ELEMENTS(keys));
    config.canonicalization = find_canonicalization(argv[1]);
    g_autoptr(Harness) harness = fixture_harness(&config);
    harness_set(harness, "header.from.domain", "example.org");
    harness_run(harness, FILTERD_MAIL);
    harness_act(harness, "sign", &none);
    g_autofree char *text = read_all();
    g_autofree char *out = fixture_signed(harness, text, 1000);
    return g_file_set_contents(argv[2], out, -1, NULL) ? 0 : 1;
}
