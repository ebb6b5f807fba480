/* pattern-list.c: thousands of patterns, of which few are tried.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each stands under one of the grams (three octets in a row) that it needs, the
 * one that the fewest of the list have: "com" tells nothing.
 */
#include "policy/pattern-list.h"

#include "policy/pattern-needs.h"

#include <string.h>

#define GRAM 3
#define NONE G_MAXUINT

typedef struct Entry {
    Pattern *pattern;
    char *needs;   /* until the end of adding */
    unsigned next; /* under the same gram; NONE: the last */
    guint64 round; /* of the last text that it was tried on */
} Entry;

struct PatternList {
    GArray *entries;   /* Entry */
    GHashTable *grams; /* the first of the entries under it, plus 1 */
    unsigned always;   /* the first of those that need nothing */
    guint64 round;
    unsigned tried, gave_up; /* in this round */
};

PatternList *
pattern_list_new(void)
{
    PatternList *list = g_new0(PatternList, 1);

    list->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    list->grams = g_hash_table_new(NULL, NULL);
    list->always = NONE;
    return list;
}

static Entry *
entry_at(const PatternList *list, unsigned index)
{
    return &g_array_index(list->entries, Entry, index);
}

void
pattern_list_free(PatternList *list)
{
    /* From the end: the first has what the others use. */
    for (guint i = list->entries->len; i > 0; i--) {
        pattern_free(entry_at(list, i - 1)->pattern);
        g_free(entry_at(list, i - 1)->needs);
    }
    g_array_unref(list->entries);
    g_hash_table_unref(list->grams);
    g_free(list);
}

gboolean
pattern_list_add(PatternList *list, const char *text, char **message,
                 gsize *offset)
{
    const Pattern *first =
        list->entries->len > 0 ? entry_at(list, 0)->pattern : NULL;
    Entry entry = {.pattern = pattern_new(text, first, message, offset)};

    if (entry.pattern == NULL)
        return FALSE;
    entry.needs = pattern_needs(text);
    g_array_append_val(list->entries, entry);
    return TRUE;
}

/* ---- by grams ----------------------------------------------------------- */

/* Never 0; small letters are meant. */
static gpointer
gram_at(const char *text)
{
    guint gram = 0;

    for (int i = 0; i < GRAM; i++)
        gram = gram << 8 | (guchar)g_ascii_tolower(text[i]);
    return GUINT_TO_POINTER(gram);
}

/* Calls back for each gram of the runs that a pattern needs. */
static void
each_gram(const char *needs, void (*visit)(gpointer gram, void *data),
          void *data)
{
    for (const char *end = strchr(needs, '\n'); end != NULL;
         needs = end + 1, end = strchr(needs, '\n'))
        for (; end - needs >= GRAM; needs++)
            visit(gram_at(needs), data);
}

static void
count_gram(gpointer gram, void *data)
{
    GHashTable *counts = data;
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, gram));

    g_hash_table_insert(counts, gram, GUINT_TO_POINTER(count + 1));
}

typedef struct Choice {
    GHashTable *counts;
    gpointer gram; /* NULL: none yet */
    guint count;
} Choice;

static void
choose_gram(gpointer gram, void *data)
{
    Choice *choice = data;
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(choice->counts, gram));

    if (choice->gram != NULL && choice->count <= count)
        return;
    choice->gram = gram;
    choice->count = count;
}

static void
put(PatternList *list, unsigned index, gpointer gram)
{
    Entry *entry = entry_at(list, index);

    if (gram == NULL) {
        entry->next = list->always;
        list->always = index;
        return;
    }
    entry->next = GPOINTER_TO_UINT(g_hash_table_lookup(list->grams, gram)) - 1;
    g_hash_table_insert(list->grams, gram, GUINT_TO_POINTER(index + 1));
}

void
pattern_list_finish(PatternList *list)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < list->entries->len; i++)
        each_gram(entry_at(list, i)->needs, count_gram, counts);
    for (guint i = 0; i < list->entries->len; i++) {
        Choice choice = {.counts = counts};

        each_gram(entry_at(list, i)->needs, choose_gram, &choice);
        put(list, i, choice.gram);
        g_clear_pointer(&entry_at(list, i)->needs, g_free);
    }
}

/* ---- matching ----------------------------------------------------------- */

/* Those from that one on; each once in a round. */
static PatternAnswer
try_chain(PatternList *list, unsigned first, const char *text)
{
    for (unsigned i = first; i != NONE && list->gave_up < PATTERN_LIST_GIVE_UPS;
         i = entry_at(list, i)->next) {
        Entry *entry = entry_at(list, i);

        if (entry->round == list->round)
            return PATTERN_NO;
        entry->round = list->round;
        list->tried++;
        PatternAnswer answer = pattern_match(entry->pattern, text);
        if (answer == PATTERN_YES)
            return answer;
        list->gave_up += answer == PATTERN_GAVE_UP;
    }
    return PATTERN_NO;
}

PatternAnswer
pattern_list_match(PatternList *list, const char *text)
{
    gsize length = strlen(text);

    list->round++;
    list->tried = list->gave_up = 0;
    for (gsize i = 0; i + GRAM <= length; i++) {
        gpointer first = g_hash_table_lookup(list->grams, gram_at(text + i));

        if (try_chain(list, GPOINTER_TO_UINT(first) - 1, text) == PATTERN_YES)
            return PATTERN_YES;
    }
    if (try_chain(list, list->always, text) == PATTERN_YES)
        return PATTERN_YES;
    return list->gave_up > 0 ? PATTERN_GAVE_UP : PATTERN_NO;
}

unsigned
pattern_list_tried(const PatternList *list)
{
    return list->tried;
}
