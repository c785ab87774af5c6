/* The WebSocket server against the cases of the Autobahn test suite, see ws_cases.h. */
#include "ws_conformance.h"

typedef void (*section)(ws_case_fn fn, void *arg);

static void
conform(struct ws_bed *bed, section cases)
{
        if (!ws_begin_server(bed, false))
                return;
        cases(ws_ask_server, bed);
        ws_end_server(bed);
}

static void
messages_of_every_size_come_back(void)
{
        GREEN_COVERS("WS-06", "WS-12", "WS-13");
        conform(&(struct ws_bed){.strict = true}, ws_section_1);
}

static void
pings_are_answered_and_pongs_are_not(void)
{
        GREEN_COVERS("WS-17", "WS-19");
        conform(&(struct ws_bed){.strict = true}, ws_section_2);
}

static void
reserved_bits_are_refused(void)
{
        GREEN_COVERS("WS-19", "WS-20");
        conform(&(struct ws_bed){.strict = false}, ws_section_3);
}

static void
unknown_opcodes_are_refused(void)
{
        GREEN_COVERS("WS-19");
        conform(&(struct ws_bed){.strict = false}, ws_section_4);
}

static void
fragments_make_messages(void)
{
        GREEN_COVERS("WS-16", "WS-19");
        conform(&(struct ws_bed){.strict = false}, ws_section_5);
        conform(&(struct ws_bed){.strict = true}, ws_section_10);
}

/* Strictly: at the first wrong byte. */
static void
text_that_is_not_utf8_is_refused_at_once(void)
{
        GREEN_COVERS("WS-12", "WS-23");
        conform(&(struct ws_bed){.strict = true}, ws_section_6);
}

static void
closes_are_answered_by_their_codes(void)
{
        GREEN_COVERS("WS-24", "WS-25", "WS-28");
        conform(&(struct ws_bed){.strict = false}, ws_section_7);
}

static void
large_messages_and_many_come_back(void)
{
        GREEN_COVERS("WS-13", "WS-16");
        conform(&(struct ws_bed){.strict = true}, ws_section_9);
}

static void
everything_is_compressed_right(void)
{
        GREEN_COVERS("WS-35", "WS-38");
        conform(&(struct ws_bed){.strict = true}, ws_section_12);
}

static void
parameters_of_compression_are_kept_to(void)
{
        GREEN_COVERS("WS-35", "WS-36", "WS-38");
        conform(&(struct ws_bed){.strict = true}, ws_section_13);
}

static void
the_window_may_go_on_from_message_to_message(void)
{
        GREEN_COVERS("WS-36", "WS-38");
        conform(&(struct ws_bed){.strict = true, .opts.context_takeover = true}, ws_section_13);
}

GREEN_SUITE(web_ws_conformance) {
        GREEN_TEST(messages_of_every_size_come_back),
        GREEN_TEST(pings_are_answered_and_pongs_are_not),
        GREEN_TEST(reserved_bits_are_refused),
        GREEN_TEST(unknown_opcodes_are_refused),
        GREEN_TEST(fragments_make_messages),
        GREEN_TEST(text_that_is_not_utf8_is_refused_at_once, .limit = 120),
        GREEN_TEST(closes_are_answered_by_their_codes),
        GREEN_TEST(large_messages_and_many_come_back, .limit = 120),
        GREEN_TEST(everything_is_compressed_right, .limit = 120),
        GREEN_TEST(parameters_of_compression_are_kept_to, .limit = 120),
        GREEN_TEST(the_window_may_go_on_from_message_to_message, .limit = 120),
        GREEN_SUITE_END
};
