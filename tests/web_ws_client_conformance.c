/* The same as web_ws_conformance.c with the roles changed: the tests' end is the server, green-net's client echoes. */
#include "ws_conformance.h"

typedef void (*section)(ws_case_fn fn, void *arg);

static void
conform(struct ws_bed *bed, section cases)
{
        ws_begin_client(bed, false);
        cases(ws_serve_client, bed);
        ws_end_client(bed);
}

static void
messages_of_every_size_come_back(void)
{
        GREEN_COVERS("WS-12", "WS-13", "WS-33", "WS-34");
        conform(&(struct ws_bed){.strict = true}, ws_section_1);
}

static void
pings_are_answered_and_pongs_are_not(void)
{
        GREEN_COVERS("WS-17", "WS-33");
        conform(&(struct ws_bed){.strict = true}, ws_section_2);
}

static void
reserved_bits_are_refused(void)
{
        conform(&(struct ws_bed){.strict = false}, ws_section_3);
}

static void
unknown_opcodes_are_refused(void)
{
        conform(&(struct ws_bed){.strict = false}, ws_section_4);
}

static void
fragments_make_messages(void)
{
        GREEN_COVERS("WS-16");
        conform(&(struct ws_bed){.strict = false}, ws_section_5);
        conform(&(struct ws_bed){.strict = true}, ws_section_10);
}

static void
text_that_is_not_utf8_is_refused_at_once(void)
{
        GREEN_COVERS("WS-23");
        conform(&(struct ws_bed){.strict = true}, ws_section_6);
}

static void
closes_are_answered_by_their_codes(void)
{
        GREEN_COVERS("WS-24");
        conform(&(struct ws_bed){.strict = false}, ws_section_7);
}

static void
large_messages_and_many_come_back(void)
{
        GREEN_COVERS("WS-33");
        conform(&(struct ws_bed){.strict = true}, ws_section_9);
}

static void
parameters_of_compression_are_kept_to(void)
{
        GREEN_COVERS("WS-38");
        conform(&(struct ws_bed){.strict = true}, ws_section_13);
}

static void
the_window_may_go_on_from_message_to_message(void)
{
        GREEN_COVERS("WS-38");
        conform(&(struct ws_bed){.strict = true, .opts.context_takeover = true}, ws_section_13);
}

static void
a_small_window_can_be_asked_for(void)
{
        conform(&(struct ws_bed){.strict = true,
                                 .opts.context_takeover = true,
                                 .opts.server_max_window_bits = 9,
                                 .opts.client_max_window_bits = 9},
                ws_section_13);
}

GREEN_SUITE(web_ws_client_conformance) {
        GREEN_TEST(messages_of_every_size_come_back),
        GREEN_TEST(pings_are_answered_and_pongs_are_not),
        GREEN_TEST(reserved_bits_are_refused),
        GREEN_TEST(unknown_opcodes_are_refused),
        GREEN_TEST(fragments_make_messages),
        GREEN_TEST(text_that_is_not_utf8_is_refused_at_once, .limit = 120),
        GREEN_TEST(closes_are_answered_by_their_codes),
        GREEN_TEST(large_messages_and_many_come_back, .limit = 120),
        GREEN_TEST(parameters_of_compression_are_kept_to, .limit = 120),
        GREEN_TEST(the_window_may_go_on_from_message_to_message, .limit = 120),
        GREEN_TEST(a_small_window_can_be_asked_for, .limit = 120),
        GREEN_SUITE_END
};
