/* context.h: an OpenSSL context that knows the keys of DKIM and no others. (RFC
 * 6376 3.3, RFC 8463)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who can read a key OpenSSL 3 finds out by going through all decoders of all
 * providers, for each key anew; with all that it has, this takes longer than to
 * verify a signature. Of the provider `default` the context shows a few.
 */
#pragma once

#include <glib.h>

typedef struct Context Context;

/* Caller frees. */
Context *context_new(GError **error);
void context_free(Context *context);

/* OpenSSL's default in this thread, until it is left. Not while waiting. */
void context_enter(Context *context);
void context_leave(Context *context);
