/* dns-words.h: the words of a zone file, an entry at a time (RFC 1035 5.1).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Comments, quotes and parentheses are done with here; escapes are still in
 * the words, since they mean different things in names and in strings.
 */
#pragma once

#include <filterd/plugin.h>

typedef struct DnsWord {
    const char *start; /* in the file; without the quotes */
    gsize length;
    unsigned line;
    gboolean quoted;
} DnsWord;

typedef struct DnsWords {
    const FilterdFile *file;
    const char *at, *end;
    unsigned line;
    GArray *words;     /* of the entry */
    gsize next;        /* the first that is not yet used */
    gboolean indented; /* the entry */
    GError **error;
} DnsWords;

void dns_words_init(DnsWords *words, const FilterdFile *file, GError **error);
void dns_words_clear(DnsWords *words);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DnsWords, dns_words_clear)

gboolean dns_words_ended(const DnsWords *words);
/* The words up to the end of a line that is not in parentheses; it may have
 * none. FALSE: an error. */
gboolean dns_words_read(DnsWords *words);

/* NULL: no more. */
const DnsWord *dns_words_peek(const DnsWords *words);
const DnsWord *dns_words_next(DnsWords *words);
/* Takes it if it is that one, in whatever case. */
gboolean dns_words_next_is(DnsWords *words, const char *text);

gboolean dns_words_number(DnsWords *words, int64_t limit, int64_t *number);
/* "3600", "1h30m" */
gboolean dns_words_seconds(DnsWords *words, uint32_t *seconds);

/* An error at the line of the word that was taken last. FALSE. */
gboolean dns_words_fail(DnsWords *words, const char *message);

/* One octet of a word, `\X` or `\DDD` undone; moves `at`. -1: a bad escape. */
int dns_word_octet(const char **at, const char *end, gboolean *escaped);
