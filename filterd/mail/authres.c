/* authres.c: Authentication-Results (RFC 8601): writing ours, knowing forged
 * ones.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/authres.h"

#include "filterd/base/text.h"
#include "filterd/mail/domain.h"
#include "filterd/mail/header.h"

#include <string.h>

#define FIELD_NAME "authentication-results"
#define VALUE_LIMIT 400 /* octets before quoting: a line stays under 998 */
#define LINE_LIMIT 240  /* octets, then the next property is folded */
#define CLAIM_LIMIT 50  /* fields in a field, behind bare line ends */
#define FOLD "\n    "
#define RESULT_ROOM 128 /* octets that most of them need */

/* ---- writing ------------------------------------------------------------ */

/* Of a token (RFC 2045 5.1): visible ASCII but ()<>@,;:\"/[]?= */
static const guint8 token_octets[256] = {
    ['!'] = TRUE,         ['#' ... '\''] = TRUE, ['*' ... '+'] = TRUE,
    ['-' ... '.'] = TRUE, ['0' ... '9'] = TRUE,  ['A' ... 'Z'] = TRUE,
    ['^' ... '~'] = TRUE,
};

static gboolean
is_token_octet(char octet)
{
    return token_octets[(guint8)octet];
}

static gboolean
is_token(const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (!is_token_octet(text[i]))
            return FALSE;
    return length > 0;
}

/* [ [ local-part ] "@" ] domain-name, with a dot-atom for local part. */
static gboolean
is_plain_address(const char *text, gsize length)
{
    const char *at = memchr(text, '@', length);
    if (at == NULL)
        return FALSE;
    gsize local = at - text;
    return (local == 0 || is_token(text, local))
           && is_token(at + 1, length - local - 1);
}

/* Between quotes or parentheses. 8-bit octets have no place in a header that
 * goes to any backend. */
static void
append_escaped(GString *out, const char *text, gsize length,
               const char *specials)
{
    for (gsize i = 0; i < length; i++) {
        if (strchr(specials, text[i]) != NULL)
            g_string_append_c(out, '\\');
        g_string_append_c(out, g_ascii_isprint(text[i]) ? text[i] : '?');
    }
}

static gboolean
is_eightbit(const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if ((guchar)text[i] > 127)
            return TRUE;
    return FALSE;
}

/* A domain, or the one behind the last "@", with A-labels in place of U-labels
 * (RFC 8616 4): nobody needs SMTPUTF8 to pass it on. Caller frees; NULL: it has
 * no U-labels. */
static char *
to_ascii(const char *value, gsize length)
{
    const char *at = memrchr(value, '@', length);
    gsize local = at != NULL ? (gsize)(at + 1 - value) : 0;
    g_autofree char *domain = NULL;
    if (is_eightbit(value + local, length - local)
        && memchr(value + local, '.', length - local) != NULL)
        domain = mail_domain_normalize(value + local, length - local);
    return domain != NULL ? g_strdup_printf("%.*s%s", (int)local, value, domain)
                          : NULL;
}

static void
append_ascii(GString *out, const char *value, gsize length)
{
    if (is_token(value, length) || is_plain_address(value, length)) {
        text_append_len(out, value, length);
        return;
    }
    g_string_append_c(out, '"');
    append_escaped(out, value, length, "\"\\");
    g_string_append_c(out, '"');
}

static void
append_value(GString *out, const char *value)
{
    gsize length = strnlen(value, VALUE_LIMIT);
    g_autofree char *ascii = to_ascii(value, length);
    if (ascii != NULL)
        append_ascii(out, ascii, strlen(ascii));
    else
        append_ascii(out, value, length);
}

/* Methods, results and property names are words of the plugins' own. */
static void
append_word(GString *out, const char *word)
{
    for (gsize i = 0; word[i] != '\0' && i < VALUE_LIMIT; i++)
        g_string_append_c(out, is_token_octet(word[i]) ? word[i] : '-');
}

void
mail_authres_init(MailAuthres *authres, const char *authserv_id)
{
    authres->text = g_string_new(NULL);
    append_value(authres->text, authserv_id);
}

/* In front of the part that begins at `start`. */
static void
separate(GString *out, gsize start)
{
    const char *line = memrchr(out->str, '\n', start);
    gsize used = out->str + out->len - line;
    g_string_insert(out, (gssize)start, used > LINE_LIMIT ? FOLD "    " : " ");
}

static void
append_comment(GString *out, const char *comment)
{
    gsize start = out->len;
    g_string_append_c(out, '(');
    append_escaped(out, comment, strnlen(comment, VALUE_LIMIT), "()\\");
    g_string_append_c(out, ')');
    separate(out, start);
}

static void
append_property(GString *out, const FilterdProperty *property)
{
    gsize start = out->len;
    append_word(out, property->ptype);
    g_string_append_c(out, '.');
    append_word(out, property->property);
    g_string_append_c(out, '=');
    append_value(out, property->value);
    separate(out, start);
}

void
mail_authres_add(MailAuthres *authres, const char *method, const char *result,
                 const char *comment, const FilterdProperty *properties,
                 gsize length)
{
    GString *out = authres->text;
    text_append(out, ";" FOLD);
    append_word(out, method);
    g_string_append_c(out, '=');
    append_word(out, result);
    if (comment != NULL && *comment != '\0')
        append_comment(out, comment);
    for (gsize i = 0; i < length; i++)
        append_property(out, &properties[i]);
}

char *
mail_authres_result(const char *method, const char *result, const char *comment,
                    const FilterdProperty *properties, gsize length)
{
    MailAuthres one = {.text = g_string_sized_new(RESULT_ROOM)};
    mail_authres_add(&one, method, result, comment, properties, length);
    return g_string_free(one.text, FALSE);
}

void
mail_authres_add_result(MailAuthres *authres, const char *result)
{
    text_append(authres->text, result);
}

char *
mail_authres_end(MailAuthres *authres)
{
    GString *text = g_steal_pointer(&authres->text);
    if (strchr(text->str, '\n') == NULL)
        g_string_append(text, "; none");
    return g_string_free(text, FALSE);
}

/* ---- knowing forged ones ------------------------------------------------ */

typedef struct Parser {
    const char *at;
    const char *end;
} Parser;

static gboolean
more(const Parser *parser)
{
    return parser->at < parser->end;
}

/* Controls count as white space: some parser will skip them. */
static gboolean
is_blank(char octet)
{
    return octet == ' ' || g_ascii_iscntrl(octet);
}

/* FALSE: it does not end. */
static gboolean
skip_comment(Parser *parser)
{
    gsize depth = 0;
    for (; more(parser); parser->at++) {
        if (*parser->at == '\\' && parser->at + 1 < parser->end)
            parser->at++;
        else if (*parser->at == '(')
            depth++;
        else if (*parser->at == ')' && --depth == 0) {
            parser->at++;
            return TRUE;
        }
    }
    parser->at = parser->end;
    return FALSE;
}

static gboolean
skip_cfws(Parser *parser)
{
    for (;;) {
        while (more(parser) && is_blank(*parser->at))
            parser->at++;
        if (!more(parser) || *parser->at != '(')
            return TRUE;
        if (!skip_comment(parser))
            return FALSE;
    }
}

static gboolean
take_quoted_string(Parser *parser, GString *out)
{
    for (parser->at++; more(parser); parser->at++) {
        if (*parser->at == '"') {
            parser->at++;
            return TRUE;
        }
        if (*parser->at == '\\' && ++parser->at == parser->end)
            return FALSE;
        g_string_append_c(out, *parser->at);
    }
    return FALSE;
}

/* A token, or what some parser would take for one. */
static gboolean
take_word(Parser *parser, GString *out)
{
    while (more(parser)
           && (is_token_octet(*parser->at) || (guchar)*parser->at > 127))
        g_string_append_c(out, *parser->at++);
    return out->len > 0;
}

/* authserv-id [ CFWS version ] [CFWS] ( ";" / end ) */
static gboolean
parse_head(Parser *parser, GString *id, GString *version)
{
    if (!skip_cfws(parser) || !more(parser))
        return FALSE;
    if (*parser->at == '"' ? !take_quoted_string(parser, id)
                           : !take_word(parser, id))
        return FALSE;
    if (!skip_cfws(parser))
        return FALSE;
    if (more(parser) && *parser->at != ';'
        && (!take_word(parser, version) || !skip_cfws(parser)))
        return FALSE;
    return !more(parser) || *parser->at == ';';
}

/* What begins with a digit is meant for one, and a field of another than ours
 * may mean anything. */
static gboolean
is_version(const GString *version)
{
    return g_ascii_isdigit(*version->str);
}

static gboolean
is_one(const GString *version)
{
    return strcmp(version->str + strspn(version->str, "0"), "1") == 0;
}

/* As a domain if it is one. */
static char *
normalize_id(const char *id, gsize length)
{
    char *domain = mail_domain_normalize(id, length);
    return domain != NULL ? domain : g_ascii_strdown(id, length);
}

/* Lower case, without what no domain has; comments are left out or kept. */
static char *
strip(const char *bytes, gsize length, gboolean comments)
{
    GString *plain = g_string_sized_new(length);
    Parser parser = {.at = bytes, .end = bytes + length};
    while (more(&parser)) {
        char octet = *parser.at;
        if (!comments && octet == '(') {
            skip_comment(&parser);
            continue;
        }
        if (g_ascii_isgraph(octet) && strchr("\"\\", octet) == NULL)
            g_string_append_c(plain, g_ascii_tolower(octet));
        parser.at++;
    }
    return g_string_free(plain, FALSE);
}

/* For what cannot be parsed: does our id stand there, whatever stands between
 * its octets? 8-bit octets may be anything. */
static gboolean
might_claim(const char *bytes, gsize length, const char *ours)
{
    if (is_eightbit(bytes, length))
        return TRUE;
    g_autofree char *all = strip(bytes, length, TRUE);
    g_autofree char *outside = strip(bytes, length, FALSE);
    return strstr(all, ours) != NULL || strstr(outside, ours) != NULL;
}

static gboolean
value_forged(const char *value, gsize length, const char *authserv_id)
{
    g_autofree char *ours = normalize_id(authserv_id, strlen(authserv_id));
    g_autoptr(GString) id = g_string_new(NULL);
    g_autoptr(GString) version = g_string_new(NULL);
    Parser parser = {.at = value, .end = value + length};
    gboolean parsed = parse_head(&parser, id, version);
    if (is_version(version) && !is_one(version))
        return TRUE;
    if (!parsed || (version->len > 0 && !is_version(version)))
        return might_claim(value, length, ours);
    g_autofree char *theirs = normalize_id(id->str, id->len);
    if (strcmp(theirs, ours) == 0)
        return TRUE;
    g_autofree char *domain = mail_domain_normalize(id->str, id->len);
    return domain == NULL && might_claim(id->str, id->len, ours);
}

/* A CR or LF that does not fold may begin a field for somebody else. */
static gsize
part_length(const char *bytes, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        if (bytes[i] != '\r' && bytes[i] != '\n')
            continue;
        gboolean pair =
            i + 1 < length && bytes[i] == '\r' && bytes[i + 1] == '\n';
        gsize next = i + (pair ? 2 : 1);
        if (next < length && bytes[next] != ' ' && bytes[next] != '\t')
            return next;
        i = next - 1;
    }
    return length;
}

/* Each part that has the name is read to the end of the field: to a parser that
 * takes the bare ends for white space it is one. */
gboolean
mail_authres_forged(const FilterdField *field, const char *authserv_id)
{
    const char *end = field->bytes + field->length;
    FilterdField part = *field;
    for (unsigned claims = 0; part.bytes < end;) {
        if (mail_field_resembles(&part, FIELD_NAME)) {
            const char *value = (char *)memchr(part.bytes, ':', part.length);
            if (claims++ == CLAIM_LIMIT
                || value_forged(value + 1, end - value - 1, authserv_id))
                return TRUE;
        }
        part.bytes += part_length(part.bytes, end - part.bytes);
        part.length = part_length(part.bytes, end - part.bytes);
    }
    return FALSE;
}
