/* pattern.c: a pattern of `matches` or of a list: PCRE2 within bounds.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Octets, not characters: what a client sends need not be UTF-8. The JIT is
 * used where the kernel lets it.
 */
#include "policy/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define JIT_STACK_START 4096
#define JIT_STACK_LIMIT (256 * 1024)
#define MESSAGE_SIZE 256

struct Pattern {
    pcre2_code *code;
    pcre2_match_context *context;
    pcre2_match_data *data;
    pcre2_jit_stack *stack; /* not the fiber's, which is small */
    gboolean beside;        /* all but the code is another's */
};

static void
prepare(Pattern *pattern)
{
    pattern->context = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(pattern->context, PATTERN_MATCH_LIMIT);
    pcre2_set_heap_limit(pattern->context, PATTERN_HEAP_LIMIT);
    pattern->data = pcre2_match_data_create(1, NULL);
    pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
    pattern->stack =
        pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_LIMIT, NULL);
    pcre2_jit_stack_assign(pattern->context, NULL, pattern->stack);
}

static Pattern *
pattern_beside(const Pattern *other, pcre2_code *code)
{
    Pattern *pattern = g_new(Pattern, 1);

    *pattern = *other;
    pattern->code = code;
    pattern->beside = TRUE;
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    return pattern;
}

Pattern *
pattern_new(const char *text, const Pattern *beside, char **message,
            gsize *offset)
{
    PCRE2_UCHAR buffer[MESSAGE_SIZE];
    PCRE2_SIZE where = 0;
    int code = 0;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                      PCRE2_NEVER_BACKSLASH_C, &code, &where, NULL);

    if (compiled == NULL) {
        pcre2_get_error_message(code, buffer, sizeof(buffer));
        *message = g_strdup((const char *)buffer);
        *offset = where;
        return NULL;
    }
    if (beside != NULL)
        return pattern_beside(beside, compiled);
    Pattern *pattern = g_new0(Pattern, 1);
    pattern->code = compiled;
    prepare(pattern);
    return pattern;
}

void
pattern_free(Pattern *pattern)
{
    if (!pattern->beside) {
        pcre2_jit_stack_free(pattern->stack);
        pcre2_match_data_free(pattern->data);
        pcre2_match_context_free(pattern->context);
    }
    pcre2_code_free(pattern->code);
    g_free(pattern);
}

PatternAnswer
pattern_match(const Pattern *pattern, const char *text)
{
    int result =
        pcre2_match(pattern->code, (PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, 0,
                    0, pattern->data, pattern->context);

    if (result >= 0)
        return PATTERN_YES;
    return result == PCRE2_ERROR_NOMATCH ? PATTERN_NO : PATTERN_GAVE_UP;
}
