/* web_ws_conformance.c over TLS: every section with green-net as the server, and what differs by size as the client. */
#include "ws_conformance.h"

typedef void (*section)(ws_case_fn fn, void *arg);

static void
conform(section cases, bool strict)
{
        struct ws_bed bed = {.strict = strict};

        if (!has_tls() || !ws_begin_server(&bed, true))
                return;
        cases(ws_ask_server, &bed);
        ws_end_server(&bed);
}

static void
conform_client(section cases, bool strict)
{
        struct ws_bed bed = {.strict = strict};

        if (!has_tls())
                return;
        ws_begin_client(&bed, true);
        cases(ws_serve_client, &bed);
        ws_end_client(&bed);
}

static void
messages_of_every_size_come_back(void)
{
        conform(ws_section_1, true);
}

static void
pings_are_answered_and_pongs_are_not(void)
{
        conform(ws_section_2, true);
}

static void
reserved_bits_are_refused(void)
{
        conform(ws_section_3, false);
}

static void
unknown_opcodes_are_refused(void)
{
        conform(ws_section_4, false);
}

static void
fragments_make_messages(void)
{
        conform(ws_section_5, false);
}

static void
long_texts_in_fragments_come_back(void)
{
        conform(ws_section_10, true);
}

static void
text_that_is_not_utf8_is_refused_at_once(void)
{
        conform(ws_section_6, true);
}

static void
closes_are_answered_by_their_codes(void)
{
        conform(ws_section_7, false);
}

static void
large_messages_and_many_come_back(void)
{
        conform(ws_section_9, true);
}

static void
everything_is_compressed_right(void)
{
        conform(ws_section_12, true);
}

static void
parameters_of_compression_are_kept_to(void)
{
        conform(ws_section_13, true);
}

static void
a_client_echoes_every_size(void)
{
        GREEN_COVERS("WS-34");
        conform_client(ws_section_1, true);
}

static void
a_client_makes_messages_of_fragments(void)
{
        conform_client(ws_section_5, false);
}

static void
a_client_answers_closes(void)
{
        conform_client(ws_section_7, false);
}

static void
a_client_echoes_large_messages_and_many(void)
{
        conform_client(ws_section_9, true);
}

GREEN_SUITE(web_ws_tls_conformance) {
        GREEN_TEST(messages_of_every_size_come_back),
        GREEN_TEST(pings_are_answered_and_pongs_are_not),
        GREEN_TEST(reserved_bits_are_refused),
        GREEN_TEST(unknown_opcodes_are_refused),
        GREEN_TEST(fragments_make_messages),
        GREEN_TEST(long_texts_in_fragments_come_back),
        GREEN_TEST(text_that_is_not_utf8_is_refused_at_once, .limit = 120),
        GREEN_TEST(closes_are_answered_by_their_codes, .limit = 60),
        GREEN_TEST(large_messages_and_many_come_back, .limit = 120),
        GREEN_TEST(everything_is_compressed_right, .limit = 120),
        GREEN_TEST(parameters_of_compression_are_kept_to, .limit = 120),
        GREEN_TEST(a_client_echoes_every_size),
        GREEN_TEST(a_client_makes_messages_of_fragments),
        GREEN_TEST(a_client_answers_closes, .limit = 60),
        GREEN_TEST(a_client_echoes_large_messages_and_many, .limit = 120),
        GREEN_SUITE_END
};
