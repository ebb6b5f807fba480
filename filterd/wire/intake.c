/* intake.c: from the octets of a message to a session.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/intake.h"

struct Intake {
    Session *session;
    DataParser *parser;
    gboolean fields_exceeded;
};

static const IntakeRefusal refusals[] = {
    [DATA_BARE_NEWLINE] = {"-newline", 550, "5.6.11",
                           "the message has a bare CR, a bare LF or a NUL"},
    [DATA_HEADER_LARGE] = {"-header", 552, "5.3.4",
                           "the header is larger than is taken here"},
    [DATA_TOO_LARGE] = {"-size", 552, "5.3.4",
                        "the message is larger than is taken here"},
    [DATA_NOT_KEPT] = {"-spool", 452, "4.3.1",
                       "there is no room for the message now"},
    [DATA_EIGHTBIT] = {"-eightbit", 554, "5.6.3",
                       "the message has 8-bit octets, which the mail server "
                       "behind this one does not take"},
};

static void
take_header(void *data, const char *bytes, gsize length)
{
    Intake *intake = data;
    FilterdField field;
    gsize taken, fields = 0;
    while ((taken = mail_field_next(bytes, length, &field)) > 0) {
        if (++fields > MAIL_FIELD_LIMIT) {
            intake->fields_exceeded = TRUE;
            break;
        }
        session_field(intake->session, &field);
        bytes += taken;
        length -= taken;
    }
    session_header_end(intake->session);
}

static gboolean
take_body(void *data, const char *bytes, gsize length)
{
    const Intake *intake = data;
    return session_body(intake->session, bytes, length);
}

Intake *
intake_new(Session *session, const PolicySettings *settings, gsize size_limit,
           unsigned flags)
{
    Intake *intake = g_new0(Intake, 1);
    const DataClient client = {intake, take_header, take_body};
    intake->session = session;
    session_binary(session, (flags & DATA_BINARY) != 0);
    intake->parser = data_parser_new(
        &client, size_limit,
        flags | (settings->line_endings == 1 ? DATA_NORMALIZE : 0));
    return intake;
}

void
intake_free(Intake *intake)
{
    data_parser_free(intake->parser);
    g_free(intake);
}

gsize
intake_feed(Intake *intake, const char *bytes, gsize length, gboolean *ended)
{
    return data_parser_feed(intake->parser, bytes, length, ended);
}

void
intake_end(Intake *intake)
{
    data_parser_end(intake->parser);
}

const IntakeRefusal *
intake_refusal(const Intake *intake)
{
    DataProblem problem = data_parser_problem(intake->parser);
    if (problem == DATA_OK && intake->fields_exceeded)
        problem = DATA_HEADER_LARGE;
    return problem != DATA_OK ? &refusals[problem] : NULL;
}

const IntakeRefusal *
intake_too_large(void)
{
    return &refusals[DATA_TOO_LARGE];
}
