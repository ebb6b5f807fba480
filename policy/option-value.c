/* option-value.c: one value of an option, written as its C type.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/option-value.h"

#include "filterd/base/text.h"
#include "policy/literal.h"

#include <inttypes.h>
#include <string.h>

typedef struct Given {
    const FilterdOption *row;
    const char *text;
    const PolicyPlace *place;
} Given;

/* `100/1h` of a group whose words are a number and `per` a time; NULL. */
static char *
near_rate(const Given *given)
{
    const char *slash = strchr(given->text, '/');
    const FilterdOption *next = given->row + 1;

    if (slash == NULL || slash == given->text
        || !(given->row->flags & FILTERD_POSITION)
        || given->row->type != FILTERD_INT || next->name == NULL
        || next->type != FILTERD_DURATION)
        return NULL;
    gboolean bare = !g_ascii_isdigit(slash[1]);
    g_autofree char *written = g_strconcat(bare ? "1" : "", slash + 1, NULL);
    g_autofree char *period = literal_near(FILTERD_DURATION, written);
    return g_strdup_printf("%.*s %s %s", (int)(slash - given->text),
                           given->text, next->name,
                           period != NULL ? period : written);
}

static gboolean
parse_literal(Compile *compile, const Given *given, FilterdValue *value)
{
    if (literal_parse(compile, given->row->type, given->text, value))
        return TRUE;
    g_autofree char *rate = near_rate(given);
    const Complaint complaint = {.near = rate};
    if (rate != NULL) {
        compile_complain(compile, given->place, &complaint, "`%s` is no `%s`",
                         given->text, given->row->name);
        return FALSE;
    }
    literal_refuse(compile, given->place, given->row->type, given->text);
    return FALSE;
}

static gboolean
write_bool(Compile *compile, const Given *given, void *slot)
{
    FilterdValue value;

    if (!parse_literal(compile, given, &value))
        return FALSE;
    *(bool *)slot = value.boolean;
    return TRUE;
}

static char *
format_bound(const FilterdOption *row, int64_t bound)
{
    if (row->type == FILTERD_DURATION)
        return text_format_duration(bound);
    return g_strdup_printf("%" PRId64, bound);
}

static gboolean
write_integer(Compile *compile, const Given *given, void *slot)
{
    const FilterdOption *row = given->row;
    FilterdValue value;

    if (!parse_literal(compile, given, &value))
        return FALSE;
    gboolean bounded = row->low != 0 || row->high != 0;
    if (bounded && (value.integer < row->low || value.integer > row->high)) {
        g_autofree char *low = format_bound(row, row->low);
        g_autofree char *high = format_bound(row, row->high);
        compile_error(compile, given->place, NULL,
                      "`%s` has to be between %s and %s", row->name, low, high);
        return FALSE;
    }
    *(int64_t *)slot = value.integer;
    return TRUE;
}

static gboolean
write_text(Compile *compile, const Given *given, void *slot)
{
    FilterdValue value;

    if (!parse_literal(compile, given, &value))
        return FALSE;
    *(const char **)slot = value.text;
    return TRUE;
}

static gboolean
write_word(Compile *compile, const Given *given, void *slot)
{
    const char *const *words = given->row->words;

    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], given->text) == 0) {
            *(int *)slot = i;
            return TRUE;
        }
    g_autofree char *joined = compile_join(words);
    g_autofree char *hint =
        joined != NULL ? g_strdup_printf("it is %s", joined) : NULL;
    const Complaint complaint = {.near = compile_guess(given->text, words),
                                 .hint = hint};
    compile_complain(compile, given->place, &complaint, "`%s` cannot be `%s`",
                     given->row->name, given->text);
    return FALSE;
}

static gboolean
write_ip(Compile *compile, const Given *given, void *slot)
{
    FilterdValue value;

    if (!parse_literal(compile, given, &value))
        return FALSE;
    *(FilterdIp *)slot = value.ip;
    return TRUE;
}

static gboolean
write_file(Compile *compile, const Given *given, void *slot)
{
    g_autofree char *path = compile_resolve(given->place->file, given->text);
    const Source *source = compile_read(compile, given->place, path);
    FilterdFile *file = slot;

    if (source == NULL)
        return FALSE;
    file->path = source->name;
    file->bytes =
        arena_copy(&compile->rules->arena, source->text, source->length);
    file->length = source->length;
    return TRUE;
}

static const struct {
    gsize size;
    gboolean (*write)(Compile *compile, const Given *given, void *slot);
} types[] = {
    [FILTERD_BOOL] = {sizeof(bool), write_bool},
    [FILTERD_INT] = {sizeof(int64_t), write_integer},
    [FILTERD_DURATION] = {sizeof(int64_t), write_integer},
    [FILTERD_TEXT] = {sizeof(const char *), write_text},
    [FILTERD_WORD] = {sizeof(int), write_word},
    [FILTERD_DOMAIN] = {sizeof(const char *), write_text},
    [FILTERD_ADDRESS] = {sizeof(const char *), write_text},
    [FILTERD_IP] = {sizeof(FilterdIp), write_ip},
    [FILTERD_FILE] = {sizeof(FilterdFile), write_file},
    [FILTERD_GROUP] = {0, NULL},
};

gsize
option_value_size(const FilterdOption *row)
{
    return row->type == FILTERD_GROUP ? row->size : types[row->type].size;
}

gboolean
option_value_parse(Compile *compile, const FilterdOption *row, void *slot)
{
    PolicyPlace place = compile->token.place;
    const char *text = compile_value(compile, "a value");

    if (text == NULL)
        return FALSE;
    Given given = {row, text, &place};
    return types[row->type].write(compile, &given, slot);
}
