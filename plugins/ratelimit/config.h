/* config.h: what an instance of ratelimit is told, and what it makes of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

/* What can be counted. */
typedef enum Kind {
    CONNECTIONS,
    MESSAGES,
    RECIPIENTS,
    OCTETS,
    KINDS,
} Kind;

typedef struct Rate {
    int64_t count, period;
} Rate;

/* Where a kind is counted, and its three facts: */
typedef struct KindPlace {
    bool counted;
    FilterdStage stage;
    unsigned first; /* the index of the first of them */
} KindPlace;

typedef struct Config {
    FilterdArray keys; /* const char *, names of facts */
    int64_t network_v4, network_v6;
    FilterdArray rates; /* Rate, one of them */
    int64_t burst;
    FilterdArray counts; /* int, Kind; KINDS: all that the key allows */

    /* By describe; of the needs, those of the key come first. */
    KindPlace places[KINDS];
    unsigned size; /* the need that is the message's size */
} Config;
