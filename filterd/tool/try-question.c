/* try-question.c: a question to the DNS and its answer, in words.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns-answer.h"
#include "filterd/tool/try.h"

/* Octets of an answer's records. */
#define ANSWER_LIMIT 65536

const char *
try_question_type(const TryQuestion *question)
{
    return dns_type_word(question->type);
}

TryQuestion *
try_question_new(const char *name, FilterdDnsType type,
                 const FilterdDnsAnswer *answer, int64_t waited)
{
    GString *text = g_string_new(NULL);
    TryQuestion *question = g_new(TryQuestion, 1);

    dns_answer_append(text, type, answer, ANSWER_LIMIT);
    *question =
        (TryQuestion){g_strdup(name), type, g_string_free(text, FALSE), waited};
    return question;
}

void
try_question_free(void *data)
{
    TryQuestion *question = data;

    g_free(question->name);
    g_free(question->answer);
    g_free(question);
}
