/* world.h: files, plugins and facts that are not there, for tests of policies.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/judge.h"

/* Forgets all files. */
void world_clear(void);
void world_file(const char *path, const char *text);
/* How often files were read. */
unsigned world_reads(void);

/* With the tables of spf, dkim, dmarc, dnsbl, greylist, `probe`, which has
 * every type of option and fact, and `named`, whose facts are what its option
 * `fact` says, and whose `value` has to be a duration. */
extern const PolicyLoader world_loader;
/* The same without plugins: a skeleton. */
extern const PolicyLoader world_skeleton;

/* Compiles a text as "t.conf"; the notes as "LINE:COLUMN: MESSAGE" with " | "
 * and the hint behind it, a line each. The configuration may be NULL. */
char *world_compile(const char *text, const PolicyLoader *loader,
                    PolicyConfig **config);
/* Of a text that compiles without a note. */
PolicyConfig *world_config(const char *text);

/* Texts and what is said of them. */
typedef struct WorldCase {
    const char *text;
    const char *notes;
} WorldCase;

void world_check(const WorldCase *cases, gsize count);
/* Loads every plugin, in line 1. */
#define PLUGINS "use spf use dkim use dmarc use dnsbl as bl use probe\n"

/* The configuration of `use probe`. */
typedef struct ProbeItem {
    const char *name;
    FilterdArray answers; /* FilterdIp */
    int64_t weight;
} ProbeItem;

typedef struct ProbeConfig {
    bool flag;
    int64_t count;
    int64_t delay;
    const char *text;
    int word;
    const char *domain;
    const char *address;
    FilterdIp network;
    FilterdFile file;
    FilterdArray networks; /* FilterdIp */
    FilterdArray names;    /* const char * */
    FilterdArray zones;    /* ProbeItem */
    const char *needed;
} ProbeConfig;

/* ---- judging ------------------------------------------------------------ */

/* The values that facts have: "spf.result=fail client.ip=192.0.2.1"; what is
 * not there is unknown; `a,b` for lists. Replaces those before. */
void world_facts(const PolicyConfig *config, const char *values);
/* Names of the facts asked for so far, with `~` in front where only a `would`
 * rule asked; of the rules fired; emptied. Caller frees. */
char *world_asked(void);
char *world_fired(void);
extern const PolicyClient world_client;
