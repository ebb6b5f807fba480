/* fuzz-message.c: any message through the whole plugin, the library included;
 * its first octet tells the size of the body's pieces.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "plugins/dkim/config.h"
#include "tests/fuzz/fuzz.h"
#include <filterd/harness.h>

static const Config config = {
    .signatures = 10,
    .minimum_key_bits = 1024,
    .clock_drift = 300000,
};

/* Keys by which messages of the corpus pass, and a broken one. */
#define RSA                                                                   \
    "\"k=rsa; p="                                                             \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAjcINaNH0JCjP+WLohNTuF0"      \
    "hi44nw40gNFfd7Zg76g7m2aV2tM9GskZJ8JTFqMF/Z/h7NzJKgSulkkPXKGSzZ6Bzg"      \
    "pZ0w29QYaLglGMNbiDv44ecaQHIaTfcPbjjMQQZ9Y9Ik3MuRy0uVS74VwuFFDoh8lT\" \"" \
    "exvX8HN+CSBML1G/Dl2H7HFH4R9iP+XVZYJYxeZ6GJj2rp3K9VHDY1jZvPlGJhKbZ+"      \
    "PwV34NbcOElGj4SuTChhhcp0Y4dHwqTB5tS0HeG/2s8TQOR7ti6HgEdsQ93VUJ6fb8"      \
    "9vGhZ1VYImhXXKwXJ3AUMcvugyuzYA7NPq50gXe6B+bF5ZY0mbLN/1swIDAQAB\"\n"
#define ED "\"k=ed25519; p=/ZX+U7FRyFg4IDt+aYNrp5njkFvmAq5C9vv30zBAZRc=\"\n"
static const char zone[] =
    "rsa._domainkey.example.org 300 TXT " RSA
    "ed._domainkey.example.org 300 TXT " ED
    "rsa._domainkey.xn--bcher-kva.example 300 TXT " RSA
    "ed._domainkey.xn--bcher-kva.example 300 TXT " ED
    "xn--gre-6ka8i._domainkey.xn--bcher-kva.example 300 TXT " RSA
    "x._domainkey.example.org 300 TXT \"k=rsa; p=AAAA\"\n";

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return 0;
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &config);
    harness_zone(harness, zone);
    g_autofree char *text = g_strndup((const char *)bytes + 1, length - 1);
    harness_message(harness, text, bytes[0] & 0x3f);
    g_assert_cmpstr(harness_fact(harness, "result"), !=, "-");
    return 0;
}
