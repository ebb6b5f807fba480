/* config.h: the options of an instance, and what its script declares.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

/* One `set`. */
typedef struct Given {
    const char *name;
    FilterdArray values; /* const char * */
} Given;

/* An option of the script's own, as it was given. */
typedef struct ScriptOption {
    const char *name;
    const char *doc; /* "`limit` (int): …" */
    bool many;
    size_t length;        /* 0: not given */
    FilterdValue *values; /* of the declared type */
} ScriptOption;

/* What a script declares; the arrays end as those of the plugin do. */
typedef struct Declared {
    const FilterdFact *facts;
    const FilterdNeed *needs;
    const FilterdAction *actions;
    const unsigned *edits; /* of each action */
    const ScriptOption *options;
    size_t n_options;
} Declared;

typedef struct Config {
    FilterdFile script;
    FilterdArray modules; /* FilterdFile */
    FilterdArray given;   /* Given */
    int64_t memory, work;
    const Declared *declared; /* by describe() */
} Config;

/* Declared, while it grows. */
typedef struct Declarations {
    GArray *facts;   /* FilterdFact */
    GArray *places;  /* const char *: of each fact, "helo.lua:12" */
    GArray *needs;   /* FilterdNeed */
    GArray *actions; /* FilterdAction */
    GArray *edits;   /* unsigned */
    GArray *options; /* ScriptOption */
    const char *summary;
    const char *description;
} Declarations;
