/* warn-reply.c: codes in the text of a reply, where they are told twice.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/warn.h"

#include "policy/check.h"

#include <string.h>

#define SHOWN 40

/* What a reply says. */
typedef struct Codes {
    int code;                       /* 0: none */
    char enhanced[POLICY_ENHANCED]; /* or "" */
} Codes;

/* Octets of a code with nothing of a word behind it; 0: there is none. */
static gsize
read_code(const char *text, Codes *codes)
{
    if (strchr("245", *text) == NULL || *text == '\0'
        || strspn(text, "0123456789") != 3
        || (text[3] != '\0' && strchr(" -", text[3]) == NULL))
        return 0;
    codes->code = (int)g_ascii_strtoll(text, NULL, 10);
    return 3 + strspn(text + 3, " -");
}

static gboolean
is_number(const char *text)
{
    gsize digits = strspn(text, "0123456789");

    return digits >= 1 && digits <= 3 && text[digits] == '\0';
}

/* class "." subject "." detail, likewise */
static gsize
read_enhanced(const char *text, Codes *codes)
{
    gsize length = strcspn(text, " ");
    g_autofree char *word = g_strndup(text, length);
    g_auto(GStrv) parts = g_strsplit(word, ".", 4);

    if (g_strv_length(parts) != 3 || strlen(parts[0]) != 1
        || strchr("245", *parts[0]) == NULL || !is_number(parts[1])
        || !is_number(parts[2]))
        return 0;
    g_strlcpy(codes->enhanced, word, sizeof(codes->enhanced));
    return length + strspn(text + length, " ");
}

/* What the operator meant: of the rule what it says, else what the text says,
 * where the verdict may answer so, else what is sent anyway. */
static Codes
mend(const Rule *rule, const Codes *in_text, const Codes *sent)
{
    Codes right = *sent;
    char class = (char)('0' + in_text->code / 100);

    if (rule->code == 0 && in_text->code != 0
        && check_may_answer(rule->public.kind, class)) {
        right.code = in_text->code;
        right.enhanced[0] = class;
    }
    if (*rule->enhanced == '\0' && *in_text->enhanced == '0' + right.code / 100)
        memcpy(right.enhanced, in_text->enhanced, sizeof(right.enhanced));
    return right;
}

/* What has to stand in place of the text. */
static char *
mended_text(const Rule *rule, const Codes *right, const char *rest)
{
    GString *text = g_string_new(NULL);

    if (rule->code == 0)
        g_string_append_printf(text, "%d ", right->code);
    if (*rule->enhanced == '\0')
        g_string_append_printf(text, "%s ", right->enhanced);
    g_string_append_printf(text, "\"%s\"", rest);
    return g_string_free(text, FALSE);
}

/* The first character outside of ASCII; its first octet. */
static void
warn_foreign(Compile *compile, const Node *reply)
{
    const char *at = reply->text;

    while (*at != '\0' && (guchar)*at < 0x80)
        at++;
    if (*at == '\0')
        return;
    g_autofree char *sign = g_utf8_substring(at, 0, 1);
    compile_warning(compile, &reply->place, "a reply is ASCII: RFC 5321 4.2",
                    "the client is told `?` for each octet of `%s`", sign);
}

void
warn_reply(Compile *compile, const Rule *rule)
{
    Codes in_text = {0}, sent;
    const char *raw = rule->reply != NULL ? rule->reply->text : "";
    const char *rest = raw;

    if (rule->reply != NULL)
        warn_foreign(compile, rule->reply);
    rest += read_code(rest, &in_text);
    rest += read_enhanced(rest, &in_text);
    if (rest == raw)
        return;
    sent.code = policy_rule_codes(&rule->public, sent.enhanced);
    Codes right = mend(rule, &in_text, &sent);
    g_autofree char *text = mended_text(rule, &right, rest);
    g_autofree char *shown =
        g_utf8_substring(raw, 0, MIN(g_utf8_strlen(raw, -1), SHOWN));
    g_autofree char *hint =
        g_strdup_printf("codes stand before the text: reply %d %s \"%s\"",
                        right.code, right.enhanced, *rest != '\0' ? rest : "…");
    const Complaint complaint = {.right = *rest != '\0' ? text : NULL,
                                 .hint = hint};
    compile_warn(compile, &rule->reply->place, &complaint,
                 "the client is told codes twice: `%d %s %s%s`", sent.code,
                 sent.enhanced, shown, strlen(shown) < strlen(raw) ? "…" : "");
}
