/* mailbox.c: the address lists of header fields (RFC 5322 3.4, RFC 6532).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *   mailbox-list  = mailbox *("," mailbox)
 *   mailbox       = [ phrase ] [CFWS] "<" addr-spec ">" [CFWS] / addr-spec
 *   addr-spec     = local-part "@" domain
 *   local-part    = dot-atom / quoted-string
 *   domain        = dot-atom / domain-literal
 *
 * A phrase may have bare dots ("John Q. Public"), as all the world writes them.
 * Whatever else two parsers could read in two ways is refused.
 */
#include "filterd/mail/mailbox.h"

#include "filterd/base/text.h"
#include "filterd/mail/address.h"
#include "filterd/mail/domain.h"

#include <string.h>

typedef struct Parser {
    const char *at;
    const char *end;
    GString *local; /* of the last word, if that was one: its meaning */
    GPtrArray *addresses;
} Parser;

typedef enum Word {
    WORD_NONE,   /* something else, or broken */
    WORD_LOCAL,  /* could be a local part */
    WORD_PHRASE, /* good for a display name only */
} Word;

static char
peek(const Parser *parser)
{
    return parser->at < parser->end ? *parser->at : '\0';
}

static gboolean
take(Parser *parser, char octet)
{
    if (parser->at == parser->end || *parser->at != octet)
        return FALSE;
    parser->at++;
    return TRUE;
}

static gboolean
is_space(char octet)
{
    return octet == ' ' || octet == '\t';
}

/* FWS without its obsolete form: a line of white space alone is refused, since
 * some take it for the end of the header. */
static gboolean
skip_space(Parser *parser)
{
    for (;;) {
        while (is_space(peek(parser)))
            parser->at++;
        if (peek(parser) != '\r')
            return TRUE;
        const char *fold = parser->at;
        if (parser->end - fold < 3 || fold[1] != '\n' || !is_space(fold[2]))
            return FALSE;
        parser->at += 2;
        while (is_space(peek(parser)))
            parser->at++;
        if (parser->at == parser->end || *parser->at == '\r')
            return FALSE;
    }
}

/* quoted-pair without obs-qp: "\" and something that can be seen, or space. */
static gboolean
skip_backslash(Parser *parser)
{
    parser->at++;
    char octet = peek(parser);
    return octet == '\t' || g_ascii_isprint(octet) || (guchar)octet > 127;
}

static gboolean
skip_comment(Parser *parser)
{
    unsigned depth = 0;
    do {
        if (!skip_space(parser))
            return FALSE;
        char octet = peek(parser);
        if (octet == '(' && ++depth > MAIL_COMMENT_DEPTH_LIMIT)
            return FALSE;
        if (octet == ')')
            depth--;
        if (octet == '\\' && !skip_backslash(parser))
            return FALSE;
        if (!g_ascii_isgraph(octet) && (guchar)octet <= 127)
            return FALSE;
        parser->at++;
    } while (depth > 0);
    return TRUE;
}

static gboolean
skip_cfws(Parser *parser)
{
    while (skip_space(parser)) {
        if (peek(parser) != '(')
            return TRUE;
        if (!skip_comment(parser))
            return FALSE;
    }
    return FALSE;
}

static Word
take_quoted_string(Parser *parser)
{
    Word kind = WORD_LOCAL;
    parser->at++;
    while (!take(parser, '"')) {
        const char *before = parser->at;
        if (!skip_space(parser))
            return WORD_NONE;
        if (memchr(before, '\r', parser->at - before) != NULL)
            kind = WORD_PHRASE;
        g_string_append_len(parser->local, before, parser->at - before);
        if (peek(parser) == '"')
            continue;
        if (peek(parser) == '\\' && !skip_backslash(parser))
            return WORD_NONE;
        char octet = peek(parser);
        if (octet != '\t' && !g_ascii_isprint(octet) && (guchar)octet <= 127)
            return WORD_NONE;
        g_string_append_c(parser->local, octet);
        parser->at++;
    }
    gboolean odd =
        parser->local->len == 0 || strchr(parser->local->str, '\t') != NULL;
    return odd ? WORD_PHRASE : kind;
}

static gboolean
is_encoded_word(const char *text)
{
    return g_str_has_prefix(text, "=?") || g_str_has_suffix(text, "?=");
}

static Word
take_atoms(Parser *parser)
{
    gboolean dots = FALSE;
    char before = '.';
    for (; mail_is_atext(peek(parser)) || peek(parser) == '.'; parser->at++) {
        dots |= *parser->at == '.' && before == '.';
        before = *parser->at;
        g_string_append_c(parser->local, before);
    }
    if (parser->local->len == 0)
        return WORD_NONE;
    if (dots || before == '.' || is_encoded_word(parser->local->str))
        return WORD_PHRASE;
    return WORD_LOCAL;
}

static Word
take_word(Parser *parser)
{
    g_string_truncate(parser->local, 0);
    return peek(parser) == '"' ? take_quoted_string(parser)
                               : take_atoms(parser);
}

/* NULL if there is no good one. */
static char *
take_domain(Parser *parser)
{
    const char *start = parser->at;
    if (peek(parser) == '[') {
        const char *close = memchr(start, ']', parser->end - start);
        gsize length = close == NULL ? 0 : close + 1 - start;
        if (!mail_domain_literal_valid(start, length))
            return NULL;
        parser->at += length;
        return g_ascii_strdown(start, length);
    }
    while (mail_is_atext(peek(parser)) || peek(parser) == '.')
        parser->at++;
    gsize length = parser->at - start;
    if (length == 0 || start[length - 1] == '.')
        return NULL;
    return mail_domain_normalize(start, length);
}

/* Behind the local part. */
static gboolean
take_rest_of_addr_spec(Parser *parser)
{
    if (!take(parser, '@') || !skip_cfws(parser))
        return FALSE;
    g_autofree char *domain = take_domain(parser);
    if (domain == NULL || !skip_cfws(parser)
        || parser->addresses->len == MAIL_MAILBOX_LIMIT)
        return FALSE;
    GString *address = g_string_new(NULL);
    mail_local_append(address, parser->local->str);
    text_append_all(address, "@", domain, NULL);
    g_ptr_array_add(parser->addresses, g_string_free(address, FALSE));
    return TRUE;
}

static gboolean
take_angle_addr(Parser *parser)
{
    return take(parser, '<') && skip_cfws(parser)
           && take_word(parser) == WORD_LOCAL && skip_cfws(parser)
           && take_rest_of_addr_spec(parser) && take(parser, '>')
           && skip_cfws(parser);
}

static gboolean
take_mailbox(Parser *parser)
{
    Word word = WORD_NONE;
    unsigned words = 0;
    if (!skip_cfws(parser))
        return FALSE;
    while (peek(parser) != '<' && peek(parser) != '@') {
        word = take_word(parser);
        if (word == WORD_NONE || !skip_cfws(parser))
            return FALSE;
        words++;
    }
    if (peek(parser) == '<')
        return take_angle_addr(parser);
    return words == 1 && word == WORD_LOCAL && take_rest_of_addr_spec(parser);
}

/* C1 controls are valid UTF-8, and no more visible than the others. */
static gboolean
is_clean_utf8(const char *value, gsize length)
{
    if (!g_utf8_validate(value, length, NULL))
        return FALSE;
    const char *end = value + length;
    for (; value < end; value = g_utf8_next_char(value)) {
        gunichar wide = g_utf8_get_char(value);
        if (wide >= 0x80 && wide < 0xa0)
            return FALSE;
    }
    return TRUE;
}

static gboolean
take_list(Parser *parser)
{
    do
        if (!take_mailbox(parser))
            return FALSE;
    while (take(parser, ','));
    return parser->at == parser->end;
}

gboolean
mail_mailbox_list_parse(const char *value, gsize length, GPtrArray *addresses)
{
    if (!is_clean_utf8(value, length))
        return FALSE;
    g_autoptr(GString) local = g_string_new(NULL);
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    Parser parser = {
        .at = value, .end = value + length, .local = local, .addresses = found};
    if (!take_list(&parser))
        return FALSE;
    g_ptr_array_extend_and_steal(addresses, g_steal_pointer(&found));
    return TRUE;
}
