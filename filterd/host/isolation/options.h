/* options.h: the options of an instance, from a worker to the process of the
 * plugin, which has neither the configuration nor its files.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/host/isolation/frame.h"

/* The config struct, as the rows of the plugin's table describe it. */
void options_put(GByteArray *frame, const FilterdPlugin *plugin,
                 const void *config);
/* A new one, in the reader's memory. NULL: it is of another table than this
 * plugin's, whose file must have changed. */
void *options_get(FrameReader *reader, const FilterdPlugin *plugin);

/* Facts of others that its describe() asked for, as PolicyUse.asked: names,
 * types, stages. */
void options_put_facts(GByteArray *frame, const FilterdFact *rows);
/* Never NULL; texts are the frame's, the rest the reader's. */
const FilterdFact *options_get_facts(FrameReader *reader);
