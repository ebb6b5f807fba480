/* smtp-parameters.c: what may stand behind a path of MAIL and RCPT.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-parameters.h"

#include "filterd/base/text.h"

#include <string.h>

/* RFC 1870 3. */
#define SIZE_DIGITS 20
/* RFC 2852 3. */
#define BY_DIGITS 9
/* RFC 3461 4.4 and 4.2, both decoded. */
#define ENVID_LIMIT 100
#define ORCPT_LIMIT 500
/* RFC 4954 5. */
#define AUTH_LIMIT 500
#define ROWS_LIMIT 16
/* What is not known is named by so many octets. */
#define KEYWORD_TOLD 32

/* ---- words -------------------------------------------------------------- */

static gboolean
is_one_of(const char *value, gsize length, const char *const *words)
{
    for (unsigned i = 0; words[i] != NULL; i++)
        if (text_equal_nocase(value, length, words[i]))
            return TRUE;
    return FALSE;
}

/* What does not fit into 64 bits becomes the largest number. */
static gboolean
take_size(SmtpParameters *parameters, const char *value)
{
    gsize digits = value != NULL ? strspn(value, "0123456789") : 0;
    if (digits == 0 || digits > SIZE_DIGITS || value[digits] != '\0')
        return FALSE;
    parameters->size = g_ascii_strtoull(value, NULL, 10);
    return TRUE;
}

static gboolean
take_body(SmtpParameters *parameters, const char *value)
{
    static const char *const words[] = {"7BIT", "8BITMIME", "BINARYMIME", NULL};
    if (value == NULL || !is_one_of(value, strlen(value), words))
        return FALSE;
    if (g_ascii_strcasecmp(value, "BINARYMIME") == 0)
        parameters->needs |= SMTP_BINARYMIME;
    return TRUE;
}

static gboolean
take_smtputf8(SmtpParameters *parameters, const char *value)
{
    parameters->utf8 = TRUE;
    return value == NULL;
}

/* RFC 8689 2. */
static gboolean
take_requiretls(SmtpParameters *parameters, const char *value)
{
    (void)parameters;
    return value == NULL;
}

static gboolean
take_ret(SmtpParameters *parameters, const char *value)
{
    static const char *const words[] = {"FULL", "HDRS", NULL};
    (void)parameters;
    return value != NULL && is_one_of(value, strlen(value), words);
}

/* RFC 6710 4.1: from -9 to 9. */
static gboolean
take_priority(SmtpParameters *parameters, const char *value)
{
    (void)parameters;
    if (value == NULL)
        return FALSE;
    const char *digit = value + (*value == '-' ? 1 : 0);
    return g_ascii_isdigit(*digit) && digit[1] == '\0'
           && !(*digit == '0' && digit != value);
}

/* RFC 2852 4: seconds, what to do then, whether to tell of relays. */
static gboolean
take_by(SmtpParameters *parameters, const char *value)
{
    static const char *const modes[] = {"N", "R", "NT", "RT", NULL};
    (void)parameters;
    if (value == NULL)
        return FALSE;
    value += *value == '-' || *value == '+' ? 1 : 0;
    gsize digits = strspn(value, "0123456789");
    const char *mode = value + digits + 1;
    return digits > 0 && digits <= BY_DIGITS && value[digits] == ';'
           && is_one_of(mode, strlen(mode), modes);
}

/* ---- DSN (RFC 3461 4) --------------------------------------------------- */

/* One octet of xtext; 0: it is none. `length` is what it is written with. */
static guchar
xtext_octet(const char *text, gsize *length)
{
    *length = 1;
    if (*text != '+')
        return g_ascii_isgraph(*text) && *text != '=' ? (guchar)*text : 0;
    for (unsigned i = 1; i <= 2; i++)
        if (!g_ascii_isxdigit(text[i]) || g_ascii_islower(text[i]))
            return 0;
    *length = 3;
    return (guchar)(g_ascii_xdigit_value(text[1]) * 16
                    + g_ascii_xdigit_value(text[2]));
}

/* It ends up in a notice's fields, so it stands for printable text only. */
static gboolean
is_xtext(const char *text, gsize limit)
{
    gsize octets = 0, length;
    for (; *text != '\0'; text += length) {
        guchar octet = xtext_octet(text, &length);
        if (!g_ascii_isprint(octet) || ++octets > limit)
            return FALSE;
    }
    return octets > 0;
}

static gboolean
take_envid(SmtpParameters *parameters, const char *value)
{
    (void)parameters;
    return value != NULL && is_xtext(value, ENVID_LIMIT);
}

/* Whoever submitted it; "<>" is nobody. */
static gboolean
take_auth(SmtpParameters *parameters, const char *value)
{
    (void)parameters;
    return value != NULL && is_xtext(value, AUTH_LIMIT);
}

/* RFC 6533 3: under SMTPUTF8 an address may stand as it is. */
static gboolean
is_unitext(const char *text, gsize limit)
{
    gsize length = strlen(text);
    if (length == 0 || length > limit || !g_utf8_validate(text, -1, NULL))
        return FALSE;
    for (const char *p = text; *p != '\0'; p++)
        if (!g_ascii_isgraph(*p) && (guchar)*p < 0x80)
            return FALSE;
    return strpbrk(text, "+=") == NULL;
}

static gboolean
take_orcpt(SmtpParameters *parameters, const char *value)
{
    gsize type = 0;
    if (value == NULL)
        return FALSE;
    while (g_ascii_isalnum(value[type]) || value[type] == '-')
        type++;
    if (type == 0 || value[type] != ';')
        return FALSE;
    const char *address = value + type + 1;
    return is_xtext(address, ORCPT_LIMIT)
           || (parameters->utf8 && text_equal_nocase(value, type, "utf-8")
               && is_unitext(address, ORCPT_LIMIT));
}

/* NEVER stands alone. */
static gboolean
take_notify(SmtpParameters *parameters, const char *value)
{
    static const char *const events[] = {"SUCCESS", "FAILURE", "DELAY", NULL};
    (void)parameters;
    if (value == NULL)
        return FALSE;
    if (g_ascii_strcasecmp(value, "NEVER") == 0)
        return TRUE;
    g_auto(GStrv) words = g_strsplit(value, ",", 0);
    for (unsigned i = 0; words[i] != NULL; i++)
        if (!is_one_of(words[i], strlen(words[i]), events))
            return FALSE;
    return words[0] != NULL;
}

/* ---- rows --------------------------------------------------------------- */

typedef struct Row {
    const char *keyword;
    unsigned extension; /* the backend's, SmtpExtension; 0: none is needed */
    gboolean (*take)(SmtpParameters *parameters, const char *value);
    gboolean exact; /* case matters in it */
} Row;

/* SIZE is ours, too. */
static const Row mail_rows[] = {
    {"SIZE", 0, take_size, FALSE},
    {"BODY", SMTP_8BITMIME, take_body, FALSE},
    {"SMTPUTF8", SMTP_SMTPUTF8, take_smtputf8, FALSE},
    {"RET", SMTP_DSN, take_ret, FALSE},
    {"ENVID", SMTP_DSN, take_envid, TRUE},
    {"MT-PRIORITY", SMTP_MT_PRIORITY, take_priority, FALSE},
    {"BY", SMTP_DELIVERBY, take_by, FALSE},
    {"AUTH", SMTP_AUTH, take_auth, TRUE},
    {"REQUIRETLS", SMTP_REQUIRETLS, take_requiretls, FALSE},
    {NULL, 0, NULL, FALSE},
};

static const Row rcpt_rows[] = {
    {"NOTIFY", SMTP_DSN, take_notify, FALSE},
    {"ORCPT", SMTP_DSN, take_orcpt, TRUE},
    {NULL, 0, NULL, FALSE},
};

typedef struct Reader {
    const Row *rows;
    const SmtpExtensions *offered;
    SmtpParameters *parameters;
    MailReply *reply;
    char *values[ROWS_LIMIT]; /* of each row, as it goes on */
} Reader;

/* Whose mail cannot go on without it (RFC 6531 3.5, RFC 8689 4.1, RFC 3030). */
static const struct Need {
    const char *word;
    int code;
    const char *enhanced, *text;
} needs[] = {
    {"SMTPUTF8", 553, "5.6.7", "SMTPUTF8 is not offered here"},
    {"REQUIRETLS", 550, "5.7.30", "REQUIRETLS is not offered here"},
    {"BODY=BINARYMIME", 555, "5.5.4", "BINARYMIME is not offered here"},
};

static const struct Need *
find_need(const Reader *reader, const char *word)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(needs); i++)
        if (reader->rows == mail_rows
            && g_ascii_strcasecmp(word, needs[i].word) == 0)
            return &needs[i];
    return NULL;
}

static gboolean
unknown(Reader *reader, const char *word)
{
    const struct Need *need = find_need(reader, word);
    g_autofree char *text =
        g_strdup_printf("the parameter %.*s is not offered here",
                        (int)MIN(strcspn(word, "="), KEYWORD_TOLD), word);
    if (need != NULL)
        mail_reply_set(reader->reply, need->code, need->enhanced, need->text);
    else
        mail_reply_set(reader->reply, 555, "5.5.4", text);
    return FALSE;
}

static gboolean
wrong(Reader *reader, const char *text)
{
    mail_reply_set(reader->reply, 501, "5.5.4", text);
    return FALSE;
}

static char *
format_value(const Row *row, const char *value)
{
    if (value == NULL)
        return g_strdup("");
    g_autofree char *same =
        row->exact ? g_strdup(value) : g_ascii_strup(value, -1);
    return g_strconcat("=", same, NULL);
}

static gboolean
take(Reader *reader, const char *word)
{
    gsize length = strcspn(word, "=");
    const char *value = word[length] == '=' ? word + length + 1 : NULL;
    for (unsigned i = 0; reader->rows[i].keyword != NULL; i++) {
        const Row *row = &reader->rows[i];
        if (!text_equal_nocase(word, length, row->keyword)
            || (row->extension & ~reader->offered->passed) != 0)
            continue;
        if (reader->values[i] != NULL)
            return wrong(reader, "a parameter stands there twice");
        if (!row->take(reader->parameters, value))
            return wrong(reader, "a parameter's value is not legal");
        if ((reader->parameters->needs & ~reader->offered->passed) != 0)
            return unknown(reader, word);
        reader->values[i] = format_value(row, value);
        reader->parameters->needs |= row->extension;
        return TRUE;
    }
    return unknown(reader, word);
}

/* SIZE=0 tells nothing. */
static gboolean
goes_on(const Reader *reader, unsigned i)
{
    if (reader->values[i] == NULL || reader->rows[i].take != take_size)
        return reader->values[i] != NULL;
    return reader->offered->size && reader->parameters->size != 0;
}

static const char *
believed(const Reader *reader, unsigned i)
{
    gboolean doubted =
        reader->rows[i].take == take_auth && !reader->parameters->authenticated;
    return doubted ? "=<>" : reader->values[i];
}

static char *
format(Reader *reader)
{
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; reader->rows[i].keyword != NULL; i++)
        if (goes_on(reader, i))
            text_append_all(text, " ", reader->rows[i].keyword,
                            believed(reader, i), NULL);
    return g_string_free(text, FALSE);
}

static gboolean
read_words(Reader *reader, const char *text)
{
    gboolean taken = TRUE;
    if (*text == '\0')
        return TRUE;
    if (*text != ' ')
        return wrong(reader, "something stands behind the path");
    g_auto(GStrv) words = g_strsplit(text, " ", 0);
    for (unsigned i = 0; taken && words[i] != NULL; i++)
        taken = *words[i] == '\0' || take(reader, words[i]);
    return taken;
}

static gboolean
read_parameters(Reader *reader, const char *text)
{
    gboolean taken = read_words(reader, text);
    reader->parameters->text = format(reader);
    for (unsigned i = 0; i < ROWS_LIMIT; i++)
        g_free(reader->values[i]);
    return taken;
}

gboolean
smtp_mail_parameters(const char *text, const SmtpExtensions *offered,
                     SmtpParameters *parameters, MailReply *reply)
{
    Reader reader = {mail_rows, offered, parameters, reply, {NULL}};
    G_STATIC_ASSERT(G_N_ELEMENTS(mail_rows) <= ROWS_LIMIT);
    *parameters = (SmtpParameters){.authenticated = parameters->authenticated};
    return read_parameters(&reader, text);
}

gboolean
smtp_rcpt_parameters(const char *text, const SmtpExtensions *offered,
                     SmtpParameters *parameters, MailReply *reply)
{
    Reader reader = {rcpt_rows, offered, parameters, reply, {NULL}};
    G_STATIC_ASSERT(G_N_ELEMENTS(rcpt_rows) <= ROWS_LIMIT);
    return read_parameters(&reader, text);
}

void
smtp_parameters_clear(SmtpParameters *parameters)
{
    g_clear_pointer(&parameters->text, g_free);
}
