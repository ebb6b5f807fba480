/* uribl-links.c: fuzzes what finds the links of a message: MIME, encodings,
 * HTML, hosts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/uribl/links.h"

#include "tests/fuzz/fuzz.h"

#include <string.h>

/* The whole input is a message in a message, so that its header is ours. */
static const char type[] = "Content-Type: message/rfc822";
static const FilterdField field = {
    .bytes = type, .length = sizeof type - 1, .name_length = 12, .value = 13};

static Links *
links_read(const LinksConfig *config, const char *bytes, size_t length,
           size_t chunk)
{
    Links *links = links_new(config);

    links_field(links, &field);
    for (size_t at = 0; at < length; at += chunk)
        links_body(links, bytes + at, MIN(chunk, length - at));
    links_end(links);
    return links;
}

static void
link_check(const Link *link)
{
    g_assert_true(name_valid(link->host));
    for (const char *at = link->host; *at != '\0'; at++)
        g_assert_false(g_ascii_isupper(*at));
    if (link->registered != NULL)
        g_assert_true(g_str_has_suffix(link->host, link->registered));
    else
        g_assert_cmpuint(strlen(link->prefix), ==, strlen(link->host));
}

/* However it is cut, a message has the same links. */
static void
links_compare(const Links *one, const Links *two)
{
    g_assert_cmpuint(one->length, ==, two->length);
    for (size_t i = 0; i < one->length; i++)
        g_assert_cmpstr(one->links[i].host, ==, two->links[i].host);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static GHashTable *skip;
    static psl_ctx_t *psl;
    const char *text = (const char *)bytes;

    if (skip == NULL) {
        skip = g_hash_table_new(g_str_hash, g_str_equal);
        psl = name_suffixes_new();
    }

    const LinksConfig config = {psl, skip, 20, 1 << 20};
    Links *whole = links_read(&config, text, length, MAX(length, 1));
    Links *pieces = links_read(&config, text, length, length % 7 + 1);

    g_assert_cmpuint(whole->length, <=, 20);
    for (size_t i = 0; i < whole->length; i++)
        link_check(&whole->links[i]);
    links_compare(whole, pieces);
    links_free(whole);
    links_free(pieces);
    return 0;
}
