/* key.c: under which names the store knows a sender (RFC 6647 2.2).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/greylist/key.h"

#include <string.h>

#define HASH_OCTETS 16
#define HASH_DIGITS 22 /* of them, in base64 without padding */
#define MAPPED_BITS 96

G_STATIC_ASSERT(KEY_SIZE == 2 + HASH_DIGITS + 1);

/* ---- keys --------------------------------------------------------------- */

static void
hash(Key key, char kind, const char *text)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize length = sizeof digest;

    g_checksum_update(sum, (const guchar *)text, -1);
    g_checksum_get_digest(sum, digest, &length);

    g_autofree char *digits = g_base64_encode(digest, HASH_OCTETS);

    key[0] = kind;
    key[1] = ':';
    memcpy(key + 2, digits, HASH_DIGITS);
    key[KEY_SIZE - 1] = '\0';
}

char *
key_network(const FilterdIp *ip, int64_t v4, int64_t v6)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool four = memcmp(ip->bytes, mapped, sizeof mapped) == 0;
    int64_t bits = four ? MAPPED_BITS + v4 : v6;
    GString *out = g_string_new(NULL);

    for (int i = 0; i < (int)sizeof ip->bytes; i++) {
        int64_t left = CLAMP(bits - 8 * i, 0, 8);
        g_string_append_printf(out, "%02x",
                               ip->bytes[i] & (0xff00 >> left) & 0xff);
    }
    return g_string_free(out, FALSE);
}

void
key_client(Key key, Rung rung, const char *name)
{
    static const char *const prefixes[RUNGS] = {
        [RUNG_DOMAIN] = "d:", [RUNG_NAME] = "n:", [RUNG_NETWORK] = "i:"};
    g_autofree char *text = g_strconcat(prefixes[rung], name, NULL);

    hash(key, 'c', text);
}

void
key_white_of(Key key, const Key client)
{
    memcpy(key, client, KEY_SIZE);
    key[0] = 'w';
}

void
key_white(Key key, Rung rung, const char *name)
{
    Key client;

    key_client(client, rung, name);
    key_white_of(key, client);
}

void
key_signer(Key key, const char *domain)
{
    hash(key, 's', domain);
}

void
key_triplet(Key key, const Key client, const char *sender,
            const char *recipient)
{
    g_autofree char *lower =
        recipient != NULL ? g_ascii_strdown(recipient, -1) : NULL;
    g_autofree char *all = g_strjoin("\n", client, sender, lower, NULL);

    hash(key, 't', all);
}

/* ---- reverse-paths ------------------------------------------------------ */

static bool
is_word(char c)
{
    return g_ascii_isalnum(c) || (c & 0x80) != 0;
}

static void
append_words(GString *out, const char *text)
{
    while (*text != '\0') {
        const char *end = text;
        bool digit = false;

        for (; is_word(*end); end++)
            digit = digit || g_ascii_isdigit(*end);
        if (digit)
            g_string_append_c(out, '#');
        else
            g_string_append_len(out, text, end - text);
        if (*end != '\0')
            g_string_append_c(out, *end++);
        text = end;
    }
}

/* Behind so many "="; NULL: there are not so many. */
static const char *
skip_fields(const char *text, int fields)
{
    while (text != NULL && fields-- > 0) {
        text = strchr(text, '=');
        text = text != NULL ? text + 1 : NULL;
    }
    return text;
}

/* SRS0=HASH=DAY=domain=local, SRS1=HASH=forwarder==HASH=DAY=domain=local; what
 * is behind hash and day. NULL: it is not SRS. */
static const char *
skip_srs(const char *local)
{
    bool first = g_str_has_prefix(local, "srs0");

    if ((!first && !g_str_has_prefix(local, "srs1"))
        || strchr("=+-", local[4]) == NULL || local[4] == '\0')
        return NULL;
    if (first)
        return skip_fields(local + 5, 2);

    const char *inner = strstr(local + 5, "==");

    return inner != NULL ? skip_fields(inner + 2, 2) : NULL;
}

static void
append_local(GString *out, const char *local)
{
    const char *original = skip_srs(local);

    if (original != NULL)
        g_string_append(out, "srs=");
    append_words(out, original != NULL ? original : local);
}

char *
key_sender(const char *address, SenderForm form)
{
    g_autofree char *lower = g_ascii_strdown(address, -1);
    char *at = strrchr(lower, '@');

    if (form == SENDER_EXACT || at == NULL)
        return g_steal_pointer(&lower);

    GString *out = g_string_new(NULL);

    *at = '\0';
    if (form == SENDER_NORMALIZED)
        append_local(out, lower);
    g_string_append_c(out, '@');
    g_string_append(out, at + 1);
    return g_string_free(out, FALSE);
}
