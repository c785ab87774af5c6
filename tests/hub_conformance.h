/*
 * What the parts of hub_conformance share. It calls a plug-in as core does, and checks what <green/hub.h> and
 * hubs/README.md say that it promises.
 */
#ifndef GREEN_TESTS_HUB_CONFORMANCE_H
#define GREEN_TESTS_HUB_CONFORMANCE_H

#include <green/hub.h>

#if defined(_WIN32)
#include "hub_conformance_win32.h"
#else
#include "hub_conformance_posix.h"
#endif
#include "suite.h"

/* How long to wait for what must not come, and for what must. Seconds. */
#define CONF_QUIET 0.02
#define CONF_SOON 5.0

/* The hub under test. */
extern const struct green_hub_ops *conf_ops;
/* What it is given at init(). */
extern const struct green_hub_config conf_config;
/* Of its allocations, the n-th from now on fails; 0: none. */
extern unsigned conf_fail_alloc;

/* A state; NULL, and the test has failed, if there is none. */
void *conf_open(void);
/* Ends it, and checks that it gave all memory back. */
void conf_close(void *hub);

double conf_now(void);
/* Calls wait() until it finds something or the time is over; the number of events, 0, or a code. */
int conf_wait(void *hub, struct green_hub_event *events, int max, double seconds);
/* The bits that the next wait() reports for a token; 0 if it reports nothing for it in time. */
uint32_t conf_bits(void *hub, uint64_t token, double seconds);
/* Nothing is reported for a while. */
bool conf_quiet(void *hub);
/* wait() for good returns, with nothing: somebody woke it. */
bool conf_woken(void *hub);

/* Blocks of memory that hubs hold. */
long conf_blocks(void);

/* A state and two sockets that are connected; the tests register the first. */
struct rig {
        void *hub;
        green_fd fds[2];
};

bool rig_up(struct rig *rig);
void rig_down(struct rig *rig);

/* Writes until no more fits. */
void conf_fill(green_fd fd);
/* Writes a byte, or reads all there is. */
void conf_put(green_fd fd);
void conf_drain(green_fd fd);
void conf_close_pair(green_fd fds[2]);
/*
 * The next event says that it failed; or, of a system that cannot tell (select), that each direction of the interest is
 * ready.
 */
bool conf_fails(void *hub, uint64_t token, uint32_t interest);

/* ---- of the system: hub_conformance_posix.c, hub_conformance_win32.c */

/* Two connected stream sockets that do not block, of the simplest kind. */
bool conf_pair(green_fd fds[2]);
/* Two TCP sockets of this machine, connected. */
bool conf_tcp_pair(green_fd fds[2]);
/* An IPv4 socket that does not block. The second is bound to a port of this machine; its address is stored. */
green_fd conf_socket(int type);
green_fd conf_bound(int type, struct sockaddr_in *addr);
/* Connects, and waits for it. */
bool conf_connect(green_fd fd, const struct sockaddr_in *addr);
/* Bytes, 0 at the end, or below 0. */
int conf_write(green_fd fd, const void *bytes, size_t len);
int conf_read(green_fd fd, void *bytes, size_t len);
/* What the last of them that failed said: it would have to wait. */
bool conf_would_block(void);
/* Sends no more. */
void conf_end(green_fd fd);
/* Closes it so that the peer sees a reset. */
void conf_reset(green_fd fd);
/* Nothing happens for one that is none. */
void conf_close_fd(green_fd fd);
bool conf_is_open(green_fd fd);
/* It does not block, and goes to no program that is started. */
bool conf_is_ours_alone(green_fd fd);
/* A number that was a descriptor's, and is nobody's. */
green_fd conf_closed(void);
/* The cheapest descriptor that can be made readable: conf_light_up() does, conf_drain() ends it. */
green_fd conf_light(void);
bool conf_light_up(green_fd fd);
/* Has the process open as many descriptors as it may; their number. */
long conf_raise_limit(void);

/* A file with these bytes that is gone when it is closed, and a pipe; fds[0] reads. */
green_fd conf_file(const char *bytes);
bool conf_pipe(green_fd fds[2]);
int conf_write_file(green_fd fd, const void *bytes, size_t len);
/* At a position; -1: there are none. */
int conf_read_file(green_fd fd, void *bytes, size_t len, int64_t at);
void conf_close_file(green_fd fd);

/* Seconds of CPU that the process has used; and sleeps. */
double conf_cpu(void);
void conf_pause(double seconds);

/* Calls fn in the child of a fork, where no check may fail. false, and the test is skipped: there is no fork. */
bool conf_in_child(void (*fn)(void *arg), void *arg);
/* Runs the program again with another hub, of the tests', that is set up so. */
void conf_conforms(const char *name, const char *settings);

/* A hub that knows this feature; else the test is skipped. */
bool conf_can(uint32_t feature, const char *name);

#define ADD(hub, fd, interest, token) CHECK_INT(conf_ops->add((hub), (fd), (interest), (token)), 0)
#define MODIFY(hub, fd, interest, token) CHECK_INT(conf_ops->modify((hub), (fd), (interest), (token)), 0)
#define REMOVE(hub, fd) CHECK_INT(conf_ops->remove((hub), (fd)), 0)

#define CONF_DECLARE_TEST(name) void name(void);
#define CONF_TEST_ROW(name) GREEN_TEST(name),

/* The life of a state, where it has to do with the system. */
#define CONF_LIFE_TESTS(X)                                                                                             \
        X(init_without_descriptors_fails_in_order)                                                                     \
        X(init_without_lockable_memory_fails_in_order)                                                                 \
        X(descriptors_are_close_on_exec)

/* Interest and events. */
#define CONF_READY_TESTS(X)                                                                                            \
        X(level_interest_is_reported_as_long_as_it_holds)                                                              \
        X(only_the_directions_of_the_interest_are_reported)                                                            \
        X(both_directions_fit_one_registration)                                                                        \
        X(edge_interest_is_reported_once_a_change)                                                                     \
        X(oneshot_interest_is_reported_once_until_modify)                                                              \
        X(modify_looks_at_readiness_anew)                                                                              \
        X(modify_changes_the_token)                                                                                    \
        X(tokens_of_any_value_come_back)                                                                               \
        X(the_end_of_the_peers_stream_is_readable)                                                                     \
        X(the_end_of_a_stream_comes_with_its_last_bytes)                                                               \
        X(urgent_data_is_told_and_nothing_else_is)                                                                     \
        X(who_waits_to_write_does_not_spin_when_the_peer_has_ended)                                                    \
        X(a_hang_up_is_an_error_event)                                                                                 \
        X(a_reset_is_an_error_event)                                                                                   \
        X(a_refused_connection_is_an_error_event)                                                                      \
        X(what_was_removed_is_not_reported)                                                                            \
        X(what_was_removed_is_let_go_at_once)                                                                          \
        X(wrong_calls_have_their_codes)                                                                                \
        X(a_regular_file_is_refused_or_always_ready)                                                                   \
        X(a_closed_descriptor_does_no_harm)                                                                            \
        X(a_number_can_be_used_again)                                                                                  \
        X(a_duplicate_is_silent_after_remove)                                                                          \
        X(closing_while_it_is_waited_on_does_no_harm)

/* Many descriptors, high numbers, no memory. */
#define CONF_MANY_TESTS(X)                                                                                             \
        X(more_events_than_fit_are_not_lost)                                                                           \
        X(nobody_starves_when_all_are_ready)                                                                           \
        X(nobody_starves_when_all_are_armed_again)                                                                     \
        X(one_that_was_closed_harms_no_other)                                                                          \
        X(very_many_descriptors)                                                                                       \
        X(a_flood_of_edges_loses_nothing)                                                                              \
        X(a_high_number_works_or_is_refused)                                                                           \
        X(add_without_memory_fails_in_order)

/* wake(), time, fork(), pollfd(). */
#define CONF_WAKE_TESTS(X)                                                                                             \
        X(a_wake_ends_the_next_wait)                                                                                   \
        X(several_wakes_count_as_one)                                                                                  \
        X(a_wake_from_another_thread_ends_the_wait)                                                                    \
        X(no_wake_is_lost)                                                                                             \
        X(a_wake_loses_no_event)                                                                                       \
        X(a_wake_from_a_signal_handler_ends_the_wait)                                                                  \
        X(an_interrupted_wait_returns_nothing)                                                                         \
        X(a_limit_is_never_early)                                                                                      \
        X(a_limit_of_zero_polls)                                                                                       \
        X(the_longest_limit_waits)                                                                                     \
        X(the_child_of_a_fork_starts_empty)                                                                            \
        X(the_parent_of_a_fork_notices_nothing)                                                                        \
        X(pollfd_says_when_to_wait)                                                                                    \
        X(states_of_two_threads_do_not_meet)

/* Operations. */
#define CONF_OPS_TESTS(X)                                                                                              \
        X(an_unknown_kind_is_refused)                                                                                  \
        X(recv_and_send_move_bytes)                                                                                    \
        X(recv_of_a_closed_stream_is_zero)                                                                             \
        X(recv_fills_in_the_address)                                                                                   \
        X(read_and_write_at_an_offset)                                                                                 \
        X(read_and_write_of_a_pipe)                                                                                    \
        X(a_broken_pipe_raises_no_signal)                                                                              \
        X(accept_and_connect_make_a_connection)                                                                        \
        X(a_refused_connect_says_so)                                                                                   \
        X(poll_waits_for_readiness)                                                                                    \
        X(poll_for_writing_ignores_the_end_of_the_peer)                                                                \
        X(what_is_counted_counts)                                                                                      \
        X(many_operations_are_each_reported_once)                                                                      \
        X(a_cancelled_operation_ends_once)                                                                             \
        X(cancelling_loses_no_bytes)                                                                                   \
        X(a_cancelled_operation_ends_when_its_descriptor_is_closed)                                                    \
        X(fini_takes_back_operations_in_flight)                                                                        \
        X(fini_closes_what_was_accepted)                                                                               \
        X(operations_and_readiness_live_together)                                                                      \
        X(the_child_of_a_fork_has_no_operations)

/* Multishot operations. */
#define CONF_MULTI_TESTS(X)                                                                                            \
        X(multishot_is_for_accept_and_receive_only)                                                                    \
        X(a_multishot_accept_reports_each_connection)                                                                  \
        X(a_multishot_receive_reports_all_bytes_in_order)                                                              \
        X(multishot_receives_do_not_mix)                                                                               \
        X(a_multishot_ends_with_the_stream)                                                                            \
        X(a_cancelled_multishot_reports_what_came_before)                                                              \
        X(a_multishot_that_had_not_begun_can_be_cancelled)                                                             \
        X(receives_end_when_all_buffers_are_out)                                                                       \
        X(fini_closes_what_a_multishot_accepted)                                                                       \
        X(fini_ends_multishot_receives)                                                                                \
        X(a_multishot_without_memory_fails_in_order)                                                                   \
        X(the_child_of_a_fork_has_all_buffers)

CONF_LIFE_TESTS(CONF_DECLARE_TEST)
CONF_READY_TESTS(CONF_DECLARE_TEST)
CONF_MANY_TESTS(CONF_DECLARE_TEST)
CONF_WAKE_TESTS(CONF_DECLARE_TEST)
CONF_OPS_TESTS(CONF_DECLARE_TEST)
CONF_MULTI_TESTS(CONF_DECLARE_TEST)

#endif
