/* template.c: texts with facts in them: "{client.ip} is listed".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/template.h"

#include "filterd/base/text.h"
#include "filterd/base/value.h"
#include "policy/check.h"

#include <string.h>

typedef struct Reading {
    Compile *compile;
    const Node *node;
    FilterdStage stage;
    const char *at;
    GString *text; /* gathered since the last fact */
    GArray *parts;
    gboolean failed;
} Reading;

/* The place of `length` characters from `at`. */
static PolicyPlace
place_here(const Reading *reading, gsize octets)
{
    PolicyPlace place = reading->node->place;

    place.column += 1
                    + (unsigned)g_utf8_strlen(
                        reading->node->text, reading->at - reading->node->text);
    place.length = (unsigned)g_utf8_strlen(reading->at, (gssize)octets);
    return place;
}

static void
end_text(Reading *reading)
{
    TemplatePart part = {0};

    if (reading->text->len == 0)
        return;
    part.text = compile_keep(reading->compile, reading->text->str,
                             (gssize)reading->text->len);
    g_string_truncate(reading->text, 0);
    g_array_append_val(reading->parts, part);
}

static void
no_such_fact(Compile *compile, const PolicyPlace *place, const char *name)
{
    static const Node text = {.kind = NODE_QUOTED, .text = ""};
    gboolean named = *name != '\0';

    for (const char *c = name; *c != '\0'; c++)
        named = named && (g_ascii_isalnum(*c) || strchr("-_.", *c) != NULL);
    if (named)
        check_no_fact(compile, place, name, &text);
    else
        compile_error(compile, place, "write `{{` to mean the character",
                      "no fact `%s`", name);
}

/* "{" FACT "}" */
static void
read_fact(Reading *reading)
{
    Compile *compile = reading->compile;
    const char *end = strchr(reading->at, '}');

    if (end == NULL) {
        PolicyPlace brace = place_here(reading, 1);
        compile_error(compile, &brace, "write `{{` to mean the character",
                      "a `{` without its `}`");
        reading->failed = TRUE;
        reading->at++;
        return;
    }
    reading->at++;
    gsize length = (gsize)(end - reading->at);
    g_autofree char *name = g_strndup(reading->at, length);
    PolicyPlace place = place_here(reading, length);
    TemplatePart part = {.fact = policy_fact_find(compile->config, name)};

    if (part.fact != NULL) {
        check_fact_stage(compile, part.fact, &place, reading->stage);
        end_text(reading);
        g_array_append_val(reading->parts, part);
    } else {
        no_such_fact(compile, &place, name);
        reading->failed = TRUE;
    }
    reading->at = end + 1;
}

static void
read_escape(Reading *reading)
{
    PolicyPlace place = place_here(reading, 2);
    char c = reading->at[1];

    if (strchr("\"\\n", c) == NULL || c == '\0') {
        compile_error(reading->compile, &place,
                      "a text with facts knows \\\", \\\\ and \\n only",
                      "no escape `\\%c`", c);
        reading->failed = TRUE;
    }
    g_string_append_c(reading->text, c == 'n' ? '\n' : c);
    reading->at += 2;
}

static void
read_next(Reading *reading)
{
    char c = reading->at[0];

    if (c == '\\') {
        read_escape(reading);
    } else if ((c == '{' || c == '}') && reading->at[1] == c) {
        g_string_append_c(reading->text, c);
        reading->at += 2;
    } else if (c == '{') {
        read_fact(reading);
    } else {
        g_string_append_c(reading->text, c);
        reading->at++;
    }
}

Template *
template_parse(Compile *compile, const Node *node, FilterdStage stage)
{
    Arena *arena = &compile->rules->arena;
    Reading reading = {
        .compile = compile, .node = node, .stage = stage, .at = node->text};
    Template *template = NULL;

    reading.text = g_string_new(NULL);
    reading.parts = g_array_new(FALSE, FALSE, sizeof(TemplatePart));
    while (*reading.at != '\0')
        read_next(&reading);
    end_text(&reading);
    if (!reading.failed) {
        template = arena_alloc(arena, sizeof(*template));
        template->length = reading.parts->len;
        template->parts = (TemplatePart *)arena_copy(
            arena, reading.parts->data,
            reading.parts->len * sizeof(TemplatePart));
    }
    g_string_free(reading.text, TRUE);
    g_array_unref(reading.parts);
    return template;
}

static void
append_fact(GString *out, const FilterdValue *value)
{
    g_autoptr(GString) text = g_string_new(NULL);

    value_append(text, value);
    text_append_clean(out, text->str, TEMPLATE_FACT_LIMIT);
}

void
template_append(GString *out, const Template *template,
                const PolicyClient *client, gboolean shadow)
{
    for (unsigned i = 0; i < template->length; i++) {
        const TemplatePart *part = &template->parts[i];

        if (part->fact == NULL)
            g_string_append(out, part->text);
        else
            append_fact(out, client->fact(client->data, part->fact, shadow));
    }
}
