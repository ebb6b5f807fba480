/* links.c: the domains that a message's links lead to.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/uribl/links.h"

#include <string.h>

/* ---- domains ------------------------------------------------------------ */

static bool
is_skipped(const Links *links, const char *domain)
{
    for (const char *at = domain; at != NULL; at = strchr(at, '.')) {
        at += *at == '.';
        if (g_hash_table_contains(links->config.skip, at))
            return true;
    }
    return false;
}

static bool
is_known(const Links *links, const char *host)
{
    for (size_t i = 0; i < links->length; i++)
        if (strcmp(links->links[i].host, host) == 0)
            return true;
    return false;
}

/* NULL: it has been seen, or there are too many. */
static Link *
link_add(Links *links, const char *host)
{
    if (is_known(links, host))
        return NULL;
    if (links->length == links->config.most) {
        links->many = true;
        return NULL;
    }

    Link *added = &links->links[links->length++];

    g_strlcpy(added->host, host, sizeof added->host);
    added->registered = NULL;
    return added;
}

static void
address_add(Links *links, const FilterdIp *ip)
{
    const uint8_t *bytes = ip->bytes + 12;
    char text[NAME_PREFIX_SIZE];

    if (!name_is_public(ip))
        return;
    g_snprintf(text, sizeof text, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2],
               bytes[3]);

    Link *added = link_add(links, text);

    if (added != NULL)
        name_of_address(ip, added->prefix);
}

static void
host_found(void *data, const UrlHost *host)
{
    Links *links = data;

    if (*host->domain == '\0') {
        address_add(links, &host->ip);
        return;
    }
    if (is_skipped(links, host->domain))
        return;

    Link *added = link_add(links, host->domain);

    if (added != NULL)
        added->registered = name_registered(links->config.psl, added->host);
}

/* ---- the message -------------------------------------------------------- */

static void
part_begin(void *data, MimeKind kind)
{
    Links *links = data;

    html_begin(&links->html, kind == MIME_HTML);
}

static void
part_text(void *data, const char *bytes, size_t length)
{
    Links *links = data;
    int64_t left = links->config.scan - links->scanned;

    if ((int64_t)length > left) {
        links->many = true;
        length = (size_t)left;
    }
    links->scanned += (int64_t)length;
    html_feed(&links->html, bytes, length);
}

static void
part_end(void *data)
{
    Links *links = data;

    html_end(&links->html);
}

Links *
links_new(const LinksConfig *config)
{
    Links *links = g_new0(Links, 1);
    const MimeSink sink = {part_begin, part_text, part_end, links};

    links->config = *config;
    links->html.found = host_found;
    links->html.data = links;
    mime_init(&links->mime, &sink);
    return links;
}

void
links_free(Links *links)
{
    g_free(links);
}

void
links_field(Links *links, const FilterdField *field)
{
    if (field->name_length > 0)
        mime_field(&links->mime, field->bytes, field->name_length,
                   field->bytes + field->value, field->length - field->value);
}

static void
body_begin(Links *links)
{
    if (!links->mime.begun)
        mime_begin(&links->mime);
}

void
links_body(Links *links, const char *bytes, size_t length)
{
    body_begin(links);
    mime_feed(&links->mime, bytes, length);
}

void
links_end(Links *links)
{
    body_begin(links);
    mime_end(&links->mime);
}

const char *
links_problem(const Links *links)
{
    if (links->many)
        return "more links or text than are looked at";
    if (links->mime.too_deep)
        return "parts that are nested too deep";
    return links->html.cut ? "a link that is too long" : NULL;
}

/* ---- what is skipped ---------------------------------------------------- */

static bool
line_parse(GHashTable *skip, char *line, GError **error)
{
    char domain[NAME_SIZE];

    line[strcspn(line, "#")] = '\0';
    g_strstrip(line);
    if (*line == '\0')
        return true;
    if (!name_of_domain(line, domain)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "skip: “%.80s” is no domain", line);
        return false;
    }
    g_hash_table_add(skip, g_strdup(domain));
    return true;
}

GHashTable *
links_skip_parse(const FilterdFile *file, GError **error)
{
    g_autoptr(GHashTable) skip =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *text =
        g_strndup(file->bytes != NULL ? file->bytes : "", file->length);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line != NULL; line++)
        if (!line_parse(skip, *line, error))
            return NULL;
    return g_steal_pointer(&skip);
}
