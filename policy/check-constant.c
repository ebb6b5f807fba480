/* check-constant.c: constant arguments of the core's rewrites that could never
 * be carried out.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/check.h"

#include "filterd/mail/address.h"
#include "filterd/mail/header.h"

#include <string.h>

/* What it is whatever the mail; NULL: facts are in it, or it is refused. */
static const char *
constant_text(const Argument *argument)
{
    const Template *text = argument->template;
    const Node *node = argument->node;

    while (node->kind == NODE_LET)
        node = node->declaration->node;
    if (text == NULL)
        return node->kind == NODE_LITERAL && node->type == argument->type
                   ? node->value.text
                   : NULL;
    if (text->length == 0)
        return "";
    return text->length == 1 ? text->parts[0].text : NULL;
}

/* ---- names of fields ---------------------------------------------------- */

static void
refuse_name(Compile *compile, const Argument *name, const char *written)
{
    compile_error(compile, &name->node->place,
                  "printable ASCII without spaces and `:`",
                  "`%s` is not the name of a header field", written);
}

/* Each part of a text that is no fact stands in the name. */
static void
check_name_parts(Compile *compile, const Argument *name)
{
    const Template *text = name->template;

    for (unsigned i = 0; text != NULL && i < text->length; i++) {
        const char *part = text->parts[i].text;

        if (part == NULL || mail_field_name_valid(part))
            continue;
        refuse_name(compile, name, name->node->text);
        return;
    }
}

static void
check_name(Compile *compile, const Rule *rule)
{
    const Argument *name = &rule->arguments[0];
    const char *written = constant_text(name);

    if (written == NULL)
        check_name_parts(compile, name);
    else if (!mail_field_name_valid(written))
        refuse_name(compile, name, written);
}

/* ---- addresses ---------------------------------------------------------- */

/* The envelope is ASCII unless the client asked for more. */
static void
refuse_foreign(Compile *compile, const Argument *argument,
               const MailAddress *address)
{
    gboolean local = !g_str_is_ascii(address->local);
    g_autofree char *near =
        local ? NULL
              : g_strdup_printf("\"%s@%s\"", address->local, address->domain);
    const Complaint complaint = {
        .near = near, .hint = local ? "such as \"user@example.com\"" : NULL};

    compile_complain(compile, &argument->node->place, &complaint,
                     "`%s` needs SMTPUTF8, which no rewrite asks for",
                     address->text);
}

static void
check_path(Compile *compile, const Rule *rule, MailPath kind)
{
    const Argument *argument = &rule->arguments[0];
    const char *written = constant_text(argument);
    gboolean sender = kind == MAIL_REVERSE_PATH;
    MailAddress address = {0};

    if (written == NULL)
        return;
    if (!mail_address_parse_bare(written, kind, &address, NULL))
        compile_error(compile, &argument->node->place,
                      "such as \"user@example.com\"", "`%s` is no %s", written,
                      sender ? "reverse-path" : "recipient");
    else if (address.eightbit)
        refuse_foreign(compile, argument, &address);
    mail_address_clear(&address);
}

static void
check_sender(Compile *compile, const Rule *rule)
{
    check_path(compile, rule, MAIL_REVERSE_PATH);
}

static void
check_recipient(Compile *compile, const Rule *rule)
{
    check_path(compile, rule, MAIL_FORWARD_PATH);
}

static const struct {
    const char *action;
    void (*check)(Compile *compile, const Rule *rule);
} rows[] = {
    {"add-header", check_name},         {"change-header", check_name},
    {"remove-header", check_name},      {"set-sender", check_sender},
    {"add-recipient", check_recipient}, {"remove-recipient", check_recipient},
};

void
check_constants(Compile *compile, const Rule *rule)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rule->public.use == NULL
            && strcmp(rule->public.name, rows[i].action) == 0)
            rows[i].check(compile, rule);
}
