/* html.c: links in a text or a page, one octet at a time (HTML Living Standard
 * 13.2.5, as far as links go).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/uribl/html.h"

#include "plugins/uribl/entity.h"

#include <string.h>

/* What a reader's program fetches, or goes to. */
static const char *const attributes[] = {
    "href",       "src",  "action",  "formaction", "background", "poster",
    "xlink:href", "data", "content", "style",      "srcset",     "cite",
};

static HtmlState in_text, tag_open, tag_name, before_name, in_name, after_name,
    before_value, in_value, markup_open, markup, comment_open, comment;

/* ---- words and values --------------------------------------------------- */

static void
word_end(Html *html)
{
    if (html->length > 0)
        url_scan(html->word, html->length, html->found, html->data);
    html->length = 0;
}

static void
word_put(Html *html, char c)
{
    if ((unsigned char)c <= ' ' || strchr("<>\"", c) != NULL) {
        word_end(html);
        return;
    }
    if (html->length == sizeof html->word) {
        html->cut = true;
        word_end(html);
    }
    html->word[html->length++] = c;
}

static void
value_put(Html *html, char c)
{
    if (html->length == sizeof html->word)
        html->cut = true;
    else
        html->word[html->length++] = c;
}

static void
put(Html *html, char c)
{
    if (html->state == in_value)
        value_put(html, c);
    else
        word_put(html, c);
}

/* ---- character references ----------------------------------------------- */

/* `end` is ";" where one ended it. */
static void
entity_end(Html *html, const char *end)
{
    char out[6];
    size_t length =
        entity_decode(html->entity + 1, html->entity_length - 1, out);
    size_t raw = html->entity_length;

    html->entity_length = 0;
    for (size_t i = 0; i < length; i++)
        put(html, out[i]);
    if (length > 0)
        return;
    for (size_t i = 0; i < raw; i++)
        put(html, html->entity[i]);
    if (*end != '\0')
        put(html, *end);
}

/* Digits end where no digit comes: &#104ttp is http. */
static bool
entity_goes_on(const Html *html, char c)
{
    const char *entity = html->entity;

    if (html->entity_length == 0 || html->entity_length == HTML_ENTITY)
        return false;
    if (html->entity_length == 1)
        return g_ascii_isalpha(c) || c == '#';
    if (entity[1] != '#')
        return g_ascii_isalnum(c);
    if (html->entity_length == 2)
        return g_ascii_isdigit(c) || (c | 0x20) == 'x';
    return (entity[2] | 0x20) == 'x' ? g_ascii_isxdigit(c) : g_ascii_isdigit(c);
}

static void
decode(Html *html, char c)
{
    if (html->entity_length > 0 && c == ';') {
        entity_end(html, ";");
        return;
    }
    if (entity_goes_on(html, c)) {
        html->entity[html->entity_length++] = c;
        return;
    }
    if (html->entity_length > 0)
        entity_end(html, "");
    if (c == '&')
        html->entity[html->entity_length++] = c;
    else
        put(html, c);
}

static void
all_end(Html *html)
{
    if (html->entity_length > 0)
        entity_end(html, "");
}

/* ---- tags --------------------------------------------------------------- */

static bool
is_blank(char c)
{
    return strchr(" \t\r\n\f", c) != NULL && c != '\0';
}

static void
in_text(Html *html, char c)
{
    if (c != '<') {
        decode(html, c);
        return;
    }
    all_end(html);
    word_end(html);
    html->state = tag_open;
}

static void
tag_open(Html *html, char c)
{
    if (c == '!') {
        html->state = markup_open;
        html->dashes = 0;
    } else if (c == '/' || c == '?' || g_ascii_isalpha(c)) {
        html->state = tag_name;
    } else {
        html->state = in_text;
        in_text(html, c);
    }
}

static void
tag_name(Html *html, char c)
{
    if (c == '>')
        html->state = in_text;
    else if (is_blank(c) || c == '/')
        html->state = before_name;
}

static void
before_name(Html *html, char c)
{
    if (c == '>') {
        html->state = in_text;
    } else if (!is_blank(c) && c != '/') {
        html->name_length = 0;
        html->length = 0;
        html->state = in_name;
        in_name(html, c);
    }
}

static void
in_name(Html *html, char c)
{
    if (c == '>')
        html->state = in_text;
    else if (c == '=' && html->name_length > 0)
        html->state = before_value;
    else if (is_blank(c))
        html->state = after_name;
    else if (c == '/')
        html->state = before_name;
    else if (html->name_length < sizeof html->name)
        html->name[html->name_length++] = g_ascii_tolower(c);
}

static void
after_name(Html *html, char c)
{
    if (c == '=')
        html->state = before_value;
    else if (!is_blank(c)) {
        html->state = before_name;
        before_name(html, c);
    }
}

static void
before_value(Html *html, char c)
{
    if (is_blank(c))
        return;
    html->quote = c == '"' || c == '\'' ? c : '\0';
    if (c == '>') {
        html->state = in_text;
        return;
    }
    html->state = in_value;
    if (html->quote == '\0')
        in_value(html, c);
}

static bool
is_link(const Html *html)
{
    for (gsize i = 0; i < G_N_ELEMENTS(attributes); i++)
        if (strlen(attributes[i]) == html->name_length
            && memcmp(attributes[i], html->name, html->name_length) == 0)
            return true;
    return false;
}

static void
value_end(Html *html)
{
    all_end(html);
    if (is_link(html)) {
        url_scan(html->word, html->length, html->found, html->data);
        url_whole(html->word, html->length, html->found, html->data);
    }
    html->length = 0;
}

static void
in_value(Html *html, char c)
{
    bool ends =
        html->quote != '\0' ? c == html->quote : is_blank(c) || c == '>';

    if (!ends) {
        decode(html, c);
        return;
    }
    value_end(html);
    html->state = html->quote == '\0' && c == '>' ? in_text : before_name;
}

/* ---- what is no tag ----------------------------------------------------- */

static void
markup_open(Html *html, char c)
{
    html->state = c == '>' ? in_text : markup;
    if (c != '-')
        return;
    html->state = ++html->dashes == 2 ? comment_open : markup_open;
}

static void
markup(Html *html, char c)
{
    if (c == '>')
        html->state = in_text;
}

/* What is for some programs only (<!--[if …]>) is for somebody. */
static void
comment_open(Html *html, char c)
{
    html->dashes = c == '-' ? 1 : 0;
    if (c == '>')
        html->state = in_text;
    else
        html->state = c == '[' ? markup : comment;
}

static void
comment(Html *html, char c)
{
    if (c == '>' && html->dashes >= 2)
        html->state = in_text;
    html->dashes = c == '-' ? html->dashes + 1 : 0;
}

/* ---- a part ------------------------------------------------------------- */

void
html_begin(Html *html, bool markup_too)
{
    html->state = markup_too ? in_text : NULL;
    html->length = html->entity_length = html->name_length = 0;
}

void
html_feed(Html *html, const char *bytes, size_t length)
{
    if (html->state == NULL) {
        for (size_t i = 0; i < length; i++)
            word_put(html, bytes[i]);
        return;
    }
    for (size_t i = 0; i < length; i++)
        html->state(html, bytes[i]);
}

/* A tag that never ended is none. */
void
html_end(Html *html)
{
    all_end(html);
    if (html->state == in_text || html->state == NULL)
        word_end(html);
    html->length = 0;
}
