/* address.c: the paths of an envelope (RFC 5321 4.1.2, RFC 6531 3.3).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/address.h"

#include "filterd/base/text.h"
#include "filterd/mail/domain.h"

#include <string.h>

G_DEFINE_QUARK(mail - error, mail_error)

/*   Path           = "<" [ A-d-l ":" ] Mailbox ">"
 *   A-d-l          = At-domain *( "," At-domain )
 *   At-domain      = "@" Domain
 *   Mailbox        = Local-part "@" ( Domain / address-literal )
 *   Local-part     = Dot-string / Quoted-string
 *   Dot-string     = Atom *("."  Atom)
 *   Quoted-string  = DQUOTE *( qtextSMTP / quoted-pairSMTP ) DQUOTE
 */
typedef struct Parser {
    const char *at;
    gboolean utf8;
    GString *local;      /* unquoted */
    const char *domain;  /* as received … */
    gsize domain_length; /* … */
    char *normal;        /* … and normalized; owned */
    const char *problem; /* what a client may be told */
    MailError code;
} Parser;

static gboolean
refuse(Parser *parser, const char *problem)
{
    if (parser->problem == NULL)
        parser->problem = problem;
    return FALSE;
}

gboolean
mail_is_atext(char octet)
{
    return g_ascii_isalnum(octet) || (guchar)octet > 127
           || (octet != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", octet) != NULL);
}

static gboolean
is_dot_string(const char *local)
{
    char before = '.';
    for (; *local != '\0'; before = *local++)
        if (*local == '.' ? before == '.' : !mail_is_atext(*local))
            return FALSE;
    return before != '.';
}

void
mail_local_append(GString *out, const char *local)
{
    if (is_dot_string(local)) {
        text_append(out, local);
        return;
    }
    g_string_append_c(out, '"');
    for (; *local != '\0'; local++) {
        if (*local == '"' || *local == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *local);
    }
    g_string_append_c(out, '"');
}

/* One character beyond ASCII, if it is allowed, is valid and is no control. */
static gboolean
take_wide(Parser *parser, GString *out)
{
    if (!parser->utf8) {
        parser->code = MAIL_ERROR_EIGHTBIT;
        return refuse(parser, "8-bit octets need SMTPUTF8");
    }
    gunichar wide = g_utf8_get_char_validated(parser->at, -1);
    if (wide == (gunichar)-1 || wide == (gunichar)-2)
        return refuse(parser, "the address is not valid UTF-8");
    if (wide < 0xa0)
        return refuse(parser, "the address has a control character");
    const char *next = g_utf8_next_char(parser->at);
    g_string_append_len(out, parser->at, next - parser->at);
    parser->at = next;
    return TRUE;
}

static gboolean
take_atom(Parser *parser)
{
    gsize before = parser->local->len;
    while (mail_is_atext(*parser->at)) {
        if ((guchar)*parser->at > 127) {
            if (!take_wide(parser, parser->local))
                return FALSE;
            continue;
        }
        g_string_append_c(parser->local, *parser->at++);
    }
    if (parser->local->len > before)
        return TRUE;
    if (*parser->at == '@' && before == 0)
        return refuse(parser, "the local part is empty");
    if (*parser->at == '.' || *parser->at == '@')
        return refuse(parser, "a dot of the local part stands beside nothing");
    return refuse(parser, "the local part has a character that needs quotes");
}

static gboolean
take_dot_string(Parser *parser)
{
    while (take_atom(parser)) {
        if (*parser->at != '.')
            return TRUE;
        g_string_append_c(parser->local, *parser->at++);
    }
    return FALSE;
}

static gboolean
take_quoted_octet(Parser *parser)
{
    if (*parser->at == '\\')
        parser->at++;
    else if ((guchar)*parser->at > 127)
        return take_wide(parser, parser->local);
    if (*parser->at == '\0')
        return refuse(parser, "a quote of the local part is not closed");
    if (!g_ascii_isprint(*parser->at))
        return refuse(parser, "the local part has a control character");
    g_string_append_c(parser->local, *parser->at++);
    return TRUE;
}

static gboolean
take_quoted_string(Parser *parser)
{
    parser->at++;
    while (*parser->at != '"')
        if (!take_quoted_octet(parser))
            return FALSE;
    parser->at++;
    if (parser->local->len == 0)
        return refuse(parser, "the local part is empty");
    return TRUE;
}

static gboolean
take_local(Parser *parser)
{
    if (*parser->at == '"' ? !take_quoted_string(parser)
                           : !take_dot_string(parser))
        return FALSE;
    if (parser->local->len > MAIL_LOCAL_LIMIT)
        return refuse(parser, "the local part is longer than 64 octets");
    return TRUE;
}

/* Up to `stops`, so that what is odd is part of the domain and refused. */
static gboolean
take_domain(Parser *parser, const char *stops)
{
    gsize length = strcspn(parser->at, stops);
    const char *text = parser->at;
    for (gsize i = 0; i < length; i++)
        if ((guchar)text[i] > 127 && !parser->utf8) {
            parser->code = MAIL_ERROR_EIGHTBIT;
            return refuse(parser, "8-bit octets need SMTPUTF8");
        }
    if (length == 0)
        return refuse(parser, "the domain is missing");
    g_clear_pointer(&parser->normal, g_free);
    if (text[length - 1] != '.')
        parser->normal = mail_domain_normalize(text, length);
    if (parser->normal == NULL)
        return refuse(parser, "the domain is not valid");
    parser->domain = text;
    parser->domain_length = length;
    parser->at += length;
    return TRUE;
}

static gboolean
take_literal(Parser *parser)
{
    const char *end = strchr(parser->at, ']');
    gsize length = end == NULL ? 0 : end + 1 - parser->at;
    if (!mail_domain_literal_valid(parser->at, length))
        return refuse(parser, "the address literal is not valid");
    parser->domain = parser->at;
    parser->domain_length = length;
    parser->normal = g_ascii_strdown(parser->at, length);
    parser->at += length;
    return TRUE;
}

static gboolean
skip_route(Parser *parser)
{
    while (*parser->at == '@') {
        parser->at++;
        if (!take_domain(parser, ",:@<> "))
            return FALSE;
        if (*parser->at == ':') {
            parser->at++;
            g_clear_pointer(&parser->normal, g_free);
            return TRUE;
        }
        if (*parser->at++ != ',' || *parser->at != '@')
            return refuse(parser, "the source route is not valid");
    }
    return TRUE;
}

static gboolean
take_mailbox(Parser *parser, MailPath path)
{
    if (!skip_route(parser) || !take_local(parser))
        return FALSE;
    if (*parser->at == '>' && path == MAIL_FORWARD_PATH && parser->at[-1] != '"'
        && parser->domain == NULL
        && g_ascii_strcasecmp(parser->local->str, "postmaster") == 0)
        return TRUE;
    if (*parser->at != '@')
        return refuse(parser, *parser->at == '>'
                                  ? "the domain is missing"
                                  : "the local part has a character that "
                                    "needs quotes");
    parser->at++;
    return *parser->at == '[' ? take_literal(parser) : take_domain(parser, ">");
}

static gboolean
take_path(Parser *parser, MailPath path)
{
    if (*parser->at != '<')
        return refuse(parser, "the address is not in <>");
    parser->at++;
    if (*parser->at != '>') {
        if (!take_mailbox(parser, path))
            return FALSE;
    } else if (path == MAIL_FORWARD_PATH)
        return refuse(parser, "a recipient cannot be empty");
    if (*parser->at != '>')
        return refuse(parser, "the address does not end with >");
    parser->at++;
    return TRUE;
}

/* One block: the wire text, the local part, the domain, each with its NUL. */
static gboolean
build(Parser *parser, MailAddress *address)
{
    GString *block = g_string_new(NULL);
    if (parser->local->len > 0)
        mail_local_append(block, parser->local->str);
    if (parser->domain != NULL && parser->normal != NULL) {
        g_string_append_c(block, '@');
        text_append_len(block, parser->domain, parser->domain_length);
    }
    if (block->len + strlen("<>") > MAIL_PATH_LIMIT) {
        g_string_free(block, TRUE);
        return refuse(parser, "the address is longer than 256 octets");
    }
    gsize local = block->len + 1;
    gsize domain = local + parser->local->len + 1;
    g_string_append_c(block, '\0');
    text_append_len(block, parser->local->str, parser->local->len + 1);
    text_append(block, parser->normal != NULL ? parser->normal : "");
    char *text = g_string_free(block, FALSE);
    *address = (MailAddress){
        .text = text, .local = text + local, .domain = text + domain};
    for (const char *at = text; *at != '\0'; at++)
        address->eightbit |= (guchar)*at > 127;
    return TRUE;
}

gboolean
mail_address_parse(const char *text, MailPath path, gboolean utf8,
                   MailAddress *address, const char **end, GError **error)
{
    Parser parser = {.at = text,
                     .utf8 = utf8,
                     .local = g_string_new(NULL),
                     .code = MAIL_ERROR_SYNTAX};
    gboolean good = take_path(&parser, path) && build(&parser, address);
    if (good)
        *end = parser.at;
    else
        g_set_error_literal(error, MAIL_ERROR, parser.code, parser.problem);
    g_string_free(parser.local, TRUE);
    g_free(parser.normal);
    return good;
}

gboolean
mail_address_parse_bare(const char *text, MailPath path, MailAddress *address,
                        GError **error)
{
    g_autofree char *wrapped =
        text[0] == '<' ? g_strdup(text) : g_strdup_printf("<%s>", text);
    MailAddress found;
    const char *end;
    if (!mail_address_parse(wrapped, path, TRUE, &found, &end, error))
        return FALSE;
    if (*end != '\0') {
        mail_address_clear(&found);
        g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_SYNTAX,
                            "something follows the address");
        return FALSE;
    }
    *address = found;
    return TRUE;
}

gboolean
mail_address_split(const char *text, MailAddress *address)
{
    for (const char *at = text; *at != '\0'; at++)
        if (g_ascii_iscntrl(*at))
            return FALSE;
    const char *sign = strrchr(text, '@');
    gsize length = strlen(text);
    gsize local = sign != NULL ? (gsize)(sign - text) : length;
    g_autofree char *domain = g_ascii_strdown(sign != NULL ? sign + 1 : "", -1);
    GString *block = g_string_new(text);
    g_string_append_c(block, '\0');
    g_string_append_len(block, text, (gssize)local);
    g_string_append_c(block, '\0');
    g_string_append(block, domain);
    char *owned = g_string_free(block, FALSE);
    *address = (MailAddress){.text = owned,
                             .local = owned + length + 1,
                             .domain = owned + length + 1 + local + 1};
    return TRUE;
}

gboolean
mail_address_take(const char *text, MailPath path, MailAddress *address)
{
    gsize length = strlen(text);
    gboolean bracketed = length >= 2 && *text == '<' && text[length - 1] == '>';
    g_autofree char *bare =
        bracketed ? g_strndup(text + 1, length - 2) : g_strdup(text);
    return mail_address_parse_bare(text, path, address, NULL)
           || mail_address_split(bare, address);
}

void
mail_address_clear(MailAddress *address)
{
    g_free(address->text);
    *address = (MailAddress){0};
}

void
mail_address_copy(MailAddress *to, const MailAddress *from)
{
    MailAddress copy = {.eightbit = from->eightbit};
    if (from->text != NULL) {
        gsize size = from->domain + strlen(from->domain) + 1 - from->text;
        copy.text = g_memdup2(from->text, size);
        copy.local = copy.text + (from->local - from->text);
        copy.domain = copy.text + (from->domain - from->text);
    }
    mail_address_clear(to);
    *to = copy;
}
