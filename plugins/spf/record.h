/* record.h: an SPF record as its terms (RFC 7208 sections 4.5, 4.6, 5, 6, 12).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The parser takes any octets, and nothing but what the grammar allows: a
 * record with one wrong term is no record at all.
 */
#pragma once

#include <filterd/plugin.h>

/* Octets of somebody else's text, without a NUL behind them; NULL: absent. */
typedef struct SpfSlice {
    const char *bytes;
    gsize length;
} SpfSlice;

typedef enum SpfMechanism {
    SPF_MECHANISM_ALL,
    SPF_MECHANISM_INCLUDE,
    SPF_MECHANISM_A,
    SPF_MECHANISM_MX,
    SPF_MECHANISM_PTR,
    SPF_MECHANISM_IP4,
    SPF_MECHANISM_IP6,
    SPF_MECHANISM_EXISTS,
    SPF_MECHANISM_REDIRECT, /* the modifier, evaluated like an include */
} SpfMechanism;

typedef struct SpfTerm {
    SpfMechanism mechanism;
    char qualifier;    /* one of + - ~ ? */
    SpfSlice text;     /* the whole term, as published */
    SpfSlice domain;   /* a valid domain-spec */
    FilterdIp network; /* ip4, ip6 */
    uint8_t prefix4;   /* a, mx: of 32 bits */
    uint8_t prefix6;   /* a, mx: of 128 bits */
} SpfTerm;

/* Slices point into the text that was parsed. */
typedef struct SpfRecord {
    GArray *terms; /* SpfTerm, directives only, in order */
    SpfTerm redirect;
    SpfSlice explanation;
} SpfRecord;

#define SPF_RECORD_ERROR (spf_record_error_quark())
GQuark spf_record_error_quark(void);

typedef enum SpfRecordError {
    SPF_RECORD_ERROR_SYNTAX,
} SpfRecordError;

/* Whether a TXT record is an SPF record, right or wrong: its version section
 * is "v=spf1". */
bool spf_record_is(SpfSlice text);
/* Of a text for which spf_record_is(). */
bool spf_record_parse(SpfSlice text, SpfRecord *record, GError **error);
void spf_record_clear(SpfRecord *record);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpfRecord, spf_record_clear)
