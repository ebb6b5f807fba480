/* explain.h: what the tables of a plugin say, for people, tools and man.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A page is described once (explain-page.c) and written in a style: as text of
 * 80 columns, or as mdoc(7). In texts `backquotes` are around words of the
 * file. A term is a row of tokens with a blank between them: `word`, <value>,
 * brackets, anything else as it is.
 */
#pragma once

#include "policy/arena.h"
#include "policy/config.h"

#include <filterd/plugin.h>

typedef struct ExplainPage ExplainPage;

typedef struct ExplainStyle {
    void (*title)(ExplainPage *page, const FilterdPlugin *plugin);
    void (*section)(ExplainPage *page, const char *title);
    void (*group)(ExplainPage *page, const char *title); /* of a section */
    void (*begin)(ExplainPage *page);                    /* items; they nest */
    void (*item)(ExplainPage *page, const char *term, const char *aside);
    void (*end)(ExplainPage *page);
    void (*text)(ExplainPage *page, const char *text); /* a paragraph */
    void (*literal)(ExplainPage *page, const char *lines);
    void (*finish)(ExplainPage *page, const FilterdPlugin *plugin);
} ExplainStyle;

struct ExplainPage {
    const ExplainStyle *style;
    GString *out;
    unsigned depth;  /* of items */
    unsigned column; /* where what stands aside of terms begins; 0: behind */
    gboolean begun;  /* a paragraph would be the second one */
};

extern const ExplainStyle explain_text;
extern const ExplainStyle explain_manual;

/* ---- pages; the caller frees -------------------------------------------- */

char *explain_plugin(const ExplainStyle *style, const FilterdPlugin *plugin);
/* `plugin` is NULL for a fact of the core. */
char *explain_fact(const ExplainStyle *style, const FilterdPlugin *plugin,
                   const FilterdFact *fact);
char *explain_core(const ExplainStyle *style, const FilterdFact *facts);
/* Of FilterdPlugin; and by what rules of that file recipients are told apart,
 * unless it is NULL. */
char *explain_overview(const ExplainStyle *style, const GPtrArray *plugins,
                       const PolicyConfig *config);

/* The same as JSON objects, with what the tables have. */
char *explain_plugin_json(const FilterdPlugin *plugin);
char *explain_fact_json(const FilterdPlugin *plugin, const FilterdFact *fact);
char *explain_core_json(const FilterdFact *facts);
char *explain_overview_json(const GPtrArray *plugins,
                            const PolicyConfig *config);

/* ---- explain-instance.c ------------------------------------------------- */

/* A FilterdPlugin for each `use`, under its name there; texts, too, have the
 * names that the file gives. All but the array lives as long as the arena. */
GPtrArray *explain_instances(const PolicyConfig *config, Arena *arena);
/* What the file calls that plugin; the name itself where it has none else. */
const char *explain_instance_name(const PolicyConfig *config, const char *name);

/* ---- explain-session.c -------------------------------------------------- */

typedef struct ExplainSession {
    const char *id;
    const char *config, *log; /* paths; NULL: not given */
    gboolean json;
} ExplainSession;

/* Shows its decisions; an exit status. */
int explain_session(const ExplainSession *request);

/* ---- words -------------------------------------------------------------- */

extern const char *const explain_type_words[];
extern const char *const explain_stage_words[];

/* Its summary; never NULL. */
const char *explain_summary(const FilterdPlugin *plugin);
/* "spf.result"; the fact's own name where `plugin` is NULL. */
char *explain_fact_name(const FilterdPlugin *plugin, const FilterdFact *fact);
/* "word", "list of domain". */
char *explain_fact_type(const FilterdFact *fact);
/* The term of an option: its word and its values. */
char *explain_option_term(const FilterdOption *option);
/* The doc of an option, its bounds, and its default where that is long. */
char *explain_option_text(const FilterdOption *option);
/* A short default, or what is to be known instead; NULL: neither. */
char *explain_option_aside(const FilterdOption *option);
/* The doc of a fact, its words, and that asking writes. */
char *explain_fact_text(const FilterdFact *fact);
/* "dkim.sign(domain, text)" */
char *explain_action_term(const FilterdPlugin *plugin,
                          const FilterdAction *action);
/* "filterd_dnsbl_listed_total"; a row of explain_instances() has it already. */
char *explain_metric_name(const FilterdPlugin *plugin,
                          const FilterdMetric *metric);
