/* source.c: the files that a configuration is made of.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/compile.h"

#include <string.h>

char *
compile_resolve(const char *file, const char *path)
{
    if (g_path_is_absolute(path))
        return g_strdup(path);
    g_autofree char *directory = g_path_get_dirname(file);
    if (strcmp(directory, ".") == 0)
        return g_strdup(path);
    return g_build_filename(directory, path, NULL);
}

const Source *
compile_add_source(Compile *compile, const char *name, GBytes *bytes)
{
    Source *source = g_new0(Source, 1);

    source->name = g_string_chunk_insert(compile->config->texts, name);
    source->bytes = bytes;
    source->text = g_bytes_get_data(bytes, &source->length);
    if (source->text == NULL)
        source->text = "";
    g_ptr_array_add(compile->sources, source);
    return source;
}

const Source *
compile_read(Compile *compile, const PolicyPlace *place, const char *path)
{
    g_autoptr(GError) error = NULL;

    if (++compile->files > COMPILE_FILES) {
        compile_error(compile, place, NULL, "more than %d files",
                      COMPILE_FILES);
        return NULL;
    }
    GBytes *bytes = compile->loader->read(compile->loader->data, path, &error);
    if (bytes == NULL) {
        compile_error(compile, place, NULL, "cannot read `%s`: %s", path,
                      error != NULL ? error->message : "no reason given");
        return NULL;
    }
    return compile_add_source(compile, path, bytes);
}

/* The place of an octet of a source. */
static PolicyPlace
place_of(const Source *source, const char *octet)
{
    PolicyPlace place = {.file = source->name, .line = 1, .column = 1};
    const char *line = source->text;

    for (const char *c = source->text; c < octet; c++)
        if (*c == '\n') {
            place.line++;
            line = c + 1;
        }
    place.column += (unsigned)g_utf8_strlen(line, octet - line);
    place.length = 1;
    return place;
}

gboolean
compile_check_text(Compile *compile, const Source *source)
{
    const char *bad;

    if (source->length == 0
        || g_utf8_validate_len(source->text, source->length, &bad))
        return TRUE;
    PolicyPlace place = place_of(source, bad);
    gboolean wide = source->length > 1
                    && (memcmp(source->text, "\xff\xfe", 2) == 0
                        || memcmp(source->text, "\xfe\xff", 2) == 0);
    compile_error(compile, &place,
                  wide ? "this file is UTF-16: save it as UTF-8"
                       : "the file has to be UTF-8, without NUL",
                  "this is not text");
    return FALSE;
}
