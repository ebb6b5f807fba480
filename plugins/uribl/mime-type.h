/* mime-type.h: what Content-Type and its sister say of a part (RFC 2045 5).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/uribl/mime.h"

/* What holds without a field: text/plain, in a digest message/rfc822. */
void mime_type_init(MimeType *type, bool digest);
/* Takes a field of the part's header, if it is one of the two. */
void mime_type_field(MimeType *type, const char *name, size_t name_length,
                     const char *value, size_t length);
