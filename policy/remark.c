/* remark.c: what is legal in a list or map and probably not meant.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/remark.h"

#include "filterd/base/ip.h"
#include "policy/pattern-odd.h"

#include <string.h>

static const char *const words[] = {
    [DECLARATION_LIST] = "list",
    [DECLARATION_MAP] = "map",
};

/* ---- while the entries are read ----------------------------------------- */

static void
note(Compile *compile, Declaration *declaration, RemarkKind kind,
     const PolicyPlace *place, const char *text)
{
    Remark *remark = &declaration->remarks[kind];

    if (remark->count++ > 0)
        return;
    remark->place = *place;
    remark->text = compile_keep(compile, text, -1);
}

void
remark_key(Compile *compile, Declaration *declaration, const PolicyPlace *place,
           const char *text)
{
    if (declaration->type == FILTERD_IP && ip_has_host_bits(text))
        note(compile, declaration, REMARK_HOST_BITS, place, text);
    else if ((declaration->type == FILTERD_TEXT
              || declaration->type == FILTERD_ADDRESS)
             && strchr(text, '*') != NULL)
        note(compile, declaration, REMARK_STAR, place, text);
}

void
remark_twice(Compile *compile, Declaration *declaration,
             const PolicyPlace *place, const char *text)
{
    note(compile, declaration, REMARK_TWICE, place, text);
}

void
remark_quoted(Compile *compile, Declaration *declaration,
              const PolicyPlace *place, const char *text)
{
    gsize length = strlen(text);

    if (length > 1 && strchr("\"'", *text) != NULL
        && (text[length - 1] == *text || text[length - 1] == ','))
        note(compile, declaration, REMARK_QUOTES, place, text);
}

void
remark_pattern(Compile *compile, Declaration *list, const PolicyPlace *place,
               const char *text)
{
    PatternOddity oddity = pattern_oddity(text);

    if (oddity != PATTERN_PLAIN)
        note(compile, list, oddity == PATTERN_ALL ? REMARK_ALL : REMARK_SLASHES,
             place, text);
}

/* ---- telling ------------------------------------------------------------ */

/* " (and 5 more)" */
static char *
and_more(unsigned count)
{
    return count > 1 ? g_strdup_printf(" (and %u more)", count - 1)
                     : g_strdup("");
}

static void
tell_host_bits(Compile *compile, const Declaration *declaration,
               const Remark *remark)
{
    g_autofree char *more = and_more(remark->count);
    char network[IP_TEXT_SIZE];
    FilterdIp ip;

    ip_parse_network(remark->text, &ip);
    ip_format(&ip, network);
    compile_warning(compile, &remark->place, network,
                    "`%s` in %s `%s` has host bits: it means `%s`%s",
                    remark->text, words[declaration->kind], declaration->name,
                    network, more);
    policy_report_suggest(compile->report, network);
}

static void
tell_star(Compile *compile, const Declaration *declaration,
          const Remark *remark)
{
    g_autofree char *more = and_more(remark->count);
    const char *hint =
        declaration->type == FILTERD_ADDRESS
            ? "list NAME of domain { .example.com }, asked for the domain; or "
              "list NAME of pattern { … }"
            : "list NAME of pattern { … }";

    compile_warning(compile, &remark->place, hint,
                    "`*` is no wildcard: `%s` in %s `%s` is only itself%s",
                    remark->text, words[declaration->kind], declaration->name,
                    more);
}

static void
tell_quotes(Compile *compile, const Declaration *declaration,
            const Remark *remark)
{
    g_autofree char *more = and_more(remark->count);

    compile_warning(compile, &remark->place, "leave them out",
                    "in a file the quotes belong to the text: `%s` in %s "
                    "`%s`%s",
                    remark->text, words[declaration->kind], declaration->name,
                    more);
}

static void
tell_twice(Compile *compile, const Declaration *declaration,
           const Remark *remark)
{
    g_autofree char *more = and_more(remark->count);

    compile_warning(compile, &remark->place, NULL,
                    "`%s` is in %s `%s` already%s", remark->text,
                    words[declaration->kind], declaration->name, more);
}

static void
tell_slashes(Compile *compile, const Declaration *declaration,
             const Remark *remark)
{
    g_autofree char *more = and_more(remark->count);
    g_autofree char *right = pattern_without_slashes(remark->text);

    compile_warning(compile, &remark->place, right,
                    "the slashes belong to the pattern: `%s` in list `%s`%s",
                    remark->text, declaration->name, more);
}

static void
tell_all(Compile *compile, const Declaration *declaration, const Remark *remark)
{
    g_autofree char *more = and_more(remark->count);

    compile_warning(compile, &remark->place, NULL,
                    "the pattern `%s` in list `%s` matches everything%s",
                    remark->text, declaration->name, more);
}

static void (*const tells[REMARKS])(Compile *compile,
                                    const Declaration *declaration,
                                    const Remark *remark) = {
    [REMARK_HOST_BITS] = tell_host_bits, [REMARK_STAR] = tell_star,
    [REMARK_QUOTES] = tell_quotes,       [REMARK_TWICE] = tell_twice,
    [REMARK_SLASHES] = tell_slashes,     [REMARK_ALL] = tell_all,
};

/* In a map the narrower one has a value of its own. */
static void
tell_covered(Compile *compile, const Declaration *list)
{
    g_autofree char *narrow = NULL, *wide = NULL;
    unsigned count = lookup_covered(list->lookup, &narrow, &wide);

    if (count == 0)
        return;
    g_autofree char *more = and_more(count);
    compile_warning(compile, &list->place, NULL,
                    "`%s` in list `%s` changes nothing: `%s` has it%s", narrow,
                    list->name, wide, more);
}

static void
tell_empty(Compile *compile, const Declaration *declaration)
{
    if (declaration->kind == DECLARATION_LIST)
        compile_warning(compile, &declaration->place, NULL,
                        "the list `%s` is empty: nothing is ever in it",
                        declaration->name);
    else
        compile_warning(compile, &declaration->place, NULL,
                        "the map `%s` is empty: all that it gives is unknown",
                        declaration->name);
}

void
remark_tell(Compile *compile)
{
    const GPtrArray *all = compile->rules->declarations;

    for (guint i = 0; i < all->len; i++) {
        const Declaration *declaration = g_ptr_array_index(all, i);

        if (declaration->kind == DECLARATION_LET)
            continue;
        for (int kind = 0; kind < REMARKS; kind++)
            if (declaration->remarks[kind].count > 0)
                tells[kind](compile, declaration, &declaration->remarks[kind]);
        if (lookup_size(declaration->lookup) == 0)
            tell_empty(compile, declaration);
        else if (declaration->kind == DECLARATION_LIST)
            tell_covered(compile, declaration);
    }
}
