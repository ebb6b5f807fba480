/* fuzz-message.c: any message through the whole plugin; its first octet tells
 * the size of the body's pieces.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "plugins/arc/config.h"
#include "tests/fuzz/fuzz.h"
#include <filterd/harness.h>

static const char *const trusted[] = {"one.example", "two.example"};
static const Config config = {
    .trusted = {trusted, G_N_ELEMENTS(trusted)},
    .instances = 50,
    .minimum_key_bits = 1024,
    .clock_drift = 300000,
};

/* By which messages of the corpus pass. */
#define KEY                                                                \
    "\"k=rsa; p="                                                          \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAjcINaNH0JCjP+WLohNTuF0"   \
    "hi44nw40gNFfd7Zg76g7m2aV2tM9GskZJ8JTFqMF/Z/h7NzJKgSulkkPXKGSzZ6Bzg"   \
    "pZ0w29QYaLglGMNbiDv44ecaQHIaTfcPbjjMQQZ9Y9Ik3MuRy0uVS74VwuFFDoh8lT\"" \
    " \"exvX8HN+CSBML1G/Dl2H7HFH4R9iP+XVZYJYxeZ6GJj2rp3K9VHDY1jZvPlGJhKb"  \
    "Z+PwV34NbcOElGj4SuTChhhcp0Y4dHwqTB5tS0HeG/2s8TQOR7ti6HgEdsQ93VUJ6f"   \
    "b89vGhZ1VYImhXXKwXJ3AUMcvugyuzYA7NPq50gXe6B+bF5ZY0mbLN/1swIDAQAB\"\n"
static const char zone[] = "rsa._domainkey.one.example 300 TXT " KEY
                           "rsa._domainkey.two.example 300 TXT " KEY
                           "x._domainkey.one.example 300 TXT \"p=AAAA\"\n";

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return 0;
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &config);
    harness_zone(harness, zone);
    harness_set(harness, "client.ip", "192.0.2.1");
    g_autofree char *text = g_strndup((const char *)bytes + 1, length - 1);
    harness_message(harness, text, bytes[0] & 0x3f);
    const char *result = harness_fact(harness, "result");
    g_assert_cmpstr(result, !=, "-");
    const bool pass = strcmp(result, "pass") == 0;
    g_assert_true(pass == (strcmp(harness_fact(harness, "sealer"), "-") != 0));
    if (!pass)
        g_assert_cmpstr(harness_fact(harness, "dmarc"), ==, "-");
    return 0;
}
