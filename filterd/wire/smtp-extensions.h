/* smtp-extensions.h: what a server's EHLO reply offers (RFC 5321 4.1.1.1).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/mail/reply.h"
#include "policy/config.h"

/* Extensions that go from end to end: their parameters are passed on. In the
 * order of PolicyExtension. */
typedef enum SmtpExtension {
    SMTP_8BITMIME = 1u << 0,
    SMTP_SMTPUTF8 = 1u << 1,
    SMTP_DSN = 1u << 2,
    SMTP_MT_PRIORITY = 1u << 3,
    SMTP_DELIVERBY = 1u << 4,
    SMTP_REQUIRETLS = 1u << 5, /* over TLS only */
    SMTP_BINARYMIME = 1u << 6, /* with CHUNKING only */
    SMTP_VRFY = 1u << 7,       /* this and those behind it: by PolicyVerb */
    SMTP_AUTH = 1u << 16,      /* has no name here: see `auth` */
} SmtpExtension;

/* By bit; NULL at the end. */
extern const char *const smtp_extension_names[];

/* What EHLO told. */
typedef struct SmtpExtensions {
    gboolean known;
    gboolean pipelining, starttls, chunking;
    unsigned passed;        /* SmtpExtension */
    unsigned auth;          /* mechanisms: bits by smtp_mechanism_names */
    gboolean size;          /* SIZE was offered */
    gsize size_limit;       /* 0: none was told */
    int64_t max_recipients; /* of LIMITS; 0: none were told */
    char *xclient;  /* the attributes, "NAME ADDR …"; NULL: not offered */
    char *xforward; /* the same */
} SmtpExtensions;

/* Whether the list (int, PolicyExtension) has it. */
gboolean smtp_extension_withheld(const FilterdArray *without,
                                 PolicyExtension extension);
/* From the reply to EHLO, whose first line is the host's name (RFC 5321
 * 4.1.1.1), onto what is there; but for those in `without`. */
void smtp_extensions_learn(SmtpExtensions *extensions, const MailReply *reply,
                           const FilterdArray *without);
/* Those that pass are told without the ones in that list. */
void smtp_extensions_withhold(SmtpExtensions *extensions,
                              const FilterdArray *without);
void smtp_extensions_copy(SmtpExtensions *to, const SmtpExtensions *from);
void smtp_extensions_clear(SmtpExtensions *extensions);
