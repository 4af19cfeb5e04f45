"""The index of `research/adapters.md`, section 1: which tests hold each row, or why it is not held in this folder.

A line is a row's number, the file (`w:` for test_wsgi_to_asgi_, `a:` for test_asgi_to_wsgi_), and the test's name
without `test_`.  A name that ends in `*` stands for every test that begins so.  `w:check` and `a:check` are the checks
of `anysgi.testing`, which test_conformance.py runs on our adapters: there the name is the check's.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

from anysgi.testing._conformance._asgi_to_wsgi import ASGI_TO_WSGI
from anysgi.testing._conformance._wsgi_to_asgi import WSGI_TO_ASGI

HERE = Path(__file__).parent
NEXT = "the next issue: extensions of servers, other loops, WebSockets"

NOT_HERE = {
    "104": "tests/servers/test_gevent.py and the matrix's gunicorn-gevent, as gevent patches a whole process",
    "106": NEXT + " (free-threaded Python)",
    "111": NEXT + " (WebSockets for WSGI apps)",
    "112": NEXT + " (WebSockets on WSGI servers)",
}

ROWS = """
1   w:request_body    a_large_upload_takes_no_memory_and_stays_inside_the_window
1   w:request_body    an_upload_is_held_up_once_the_window_is_full
2   w:limits          there_is_no_limit_to_a_body_by_default
2   w:limits          a_body_*
3   w:request_body    a_body_cut_short_raises_an_oserror_and_never_looks_like_its_end
3   w:request_body    what_came_before_the_disconnect_can_still_be_read
4   a:request_body    a_body_cut_short_is_a_disconnect_and_the_input_is_not_read_again_and_again
5   w:request_body    a_body_of_unknown_length_is_terminated_by_the_adapter
5   w:frameworks      flask_reads_a_chunked_upload_as_it_arrives
5   w:frameworks      django_*
5   w:frameworks      spooling_is_an_option_and_streaming_too
6   a:request_body    a_body_of_unknown_length_*
6   a:apps            a_chunked_upload_reaches_fastapi
7   a:request_body    a_cancelled_receive_loses_nothing
7   a:disconnects     asking_whether_the_client_left_before_reading_the_body_loses_no_byte
8   a:request_body    sending_does_not_wait_for_a_body_that_is_slow_to_come
9   w:request_body    readline_with_a_limit_waits_for_the_line_and_read1_for_no_more_than_there_is
10  w:request_body    wsgi_input_is_what_io_has_for_every_chunking_and_mix_of_reads
11  w:request_body    receive_and_send_may_return_awaitables_that_are_no_coroutines
12  w:request_body    expect_100_continue_is_not_answered_for_an_app_that_refuses_without_reading
12  w:watching        a_queued_request_that_expects_100_continue_is_not_read
13  a:request_body    an_answer_that_does_not_want_the_body_never_reads_it
14  w:request_body    a_body_nobody_reads_does_not_hold_up_the_response
14  a:request_body    an_answer_that_does_not_want_the_body_never_reads_it
15  w:limits          prebuffer_takes_no_thread_until_enough_of_the_body_is_there
16  w:disconnects     a_stream_stops_within_a_chunk_of_its_client_leaving_although_send_says_nothing
16  w:watching        the_app_can_ask_at_any_time_whether_its_client_left
17  w:disconnects     clients_that_leave_endless_streams_give_their_threads_back
18  w:disconnects     send_that_fails_stops_the_app_and_its_own_exception_reaches_the_server
19  w:response_body   the_app_is_never_more_than_the_window_ahead_of_the_client
19  w:response_body   a_flood_of_tiny_chunks_is_bounded_as_well
20  w:response_body   what_was_yielded_before_an_error_is_sent_first_and_there_is_no_clean_end
21  a:disconnects     send_raises_an_oserror_once_the_response_is_closed_and_the_task_ends
21  a:disconnects     a_pending_receive_is_told_of_the_disconnect
21b a:disconnects     an_async_generator_is_closed_with_its_response
21b a:headers         nothing_is_advertised_that_is_not_done
22  a:disconnects     an_app_that_is_silent_is_told_where_the_server_knows_that_the_client_left
22  a:disconnects     an_app_that_is_silent_is_told_where_the_server_shows_its_connection
23  a:disconnects     an_app_that_*
23  a:request_body    a_cancelled_receive_loses_nothing
24  w:response_body   empty_chunks_are_no_messages
25  w:response_body   a_reply_in_one_piece_is_two_messages_and_never_calls_receive
25  a:response        a_reply_in_one_piece_is_one_chunk_and_no_extra_one
26  a:threads         a_background_task_does_not_delay_the_end_of_the_response
26  w:closing         slow_work_in_close_does_not_delay_the_last_byte
27  a:response        receive_after_the_end_is_a_disconnect_and_does_not_wait
27  a:response        sending_more_body_after_the_end_is_ignored
28  w:response_body   a_file_*
28  files             a_whole_file_is_left_to_a_server_that_can_send_it
29  files             starlettes_file_response_is_the_servers_own_file_wrapper
29  a:response        a_mistake_raises_in_the_apps_send_and_is_answered_500
30  w:request_body    an_app_may_answer_between_two_reads
30  w:response_body   a_chunk_is_sent_at_once_and_not_kept_to_be_joined_with_the_next
30  a:check           a_chunk_leaves_before_the_app_goes_on
31  w:closing         after_*
31  w:closing         a_list_of_one_piece_with_a_close_of_its_own_is_closed
32  w:check           exc_info_replaces_the_head
32  w:check           the_head_waits_for_the_first_chunk
33  w:start_response  exc_info_after_the_first_byte_raises_it_in_the_app_and_aborts
34  w:check           start_response_may_be_called_once
34  w:start_response  a_second_call_without_exc_info_is_an_error_after_the_head_left_too
35  w:check           write_sends_before_the_iterable
35  w:start_response  write_*
36  w:start_response  start_response_may_be_called_late_from_the_iterator
37  w:start_response  an_empty_iterable_sends_the_head_at_its_end
38  w:start_response  never_calling_start_response_is_one_clear_error_and_nothing_is_sent
39  w:start_response  a_head_that_may_not_be_sent_raises_in_the_app_and_sends_nothing
39  w:start_response  a_chunk_that_is_not_bytes_raises_and_sends_nothing
40  w:start_response  a_status_needs_its_code_and_may_lack_its_reason
41  w:headers         every_byte_of_a_response_header_leaves_and_names_are_lowercased
42  w:headers         every_byte_of_a_response_header_leaves_and_names_are_lowercased
43  w:headers         every_byte_of_a_request_header_arrives
43  a:headers         every_byte_of_a_header_passes_both_ways
44  w:check           split_cookies_are_joined_by_semicolons
45  w:headers         equal_content_lengths_collapse
45  w:headers         headers_that_contradict_themselves_are_answered_400_and_the_app_is_not_called
46  w:headers         a_flood_of_equal_names_takes_time_in_proportion_to_its_size
47  w:headers         names_with_underscores_*
48  w:check           header_names_are_compared_without_case
49  w:headers         proxy_and_transfer_encoding_are_not_for_apps
50  w:headers         hop_by_hop_response_headers_are_left_to_the_server
50  a:headers         hop_by_hop_headers_are_dropped_as_wsgi_servers_fail_on_them
51  a:headers         empty_cgi_values_are_absent_and_forged_ones_too
52  a:check           headers_may_be_missing
52  a:check           body_keys_may_be_missing
53  a:response        a_mistake_*
54  w:headers         no_more_is_sent_than_the_content_length
54  w:headers         a_body_shorter_than_its_content_length_has_no_clean_end
54  w:closing         after_the_content_length_was_reached_and_iteration_stops_there
55  w:headers         a_head_request_is_answered_without_a_body
55  w:headers         204_and_304_have_no_body_and_204_no_length
55  a:response        a_head_request_*
55  a:response        a_204_loses_the_body_and_its_length
56  w:check           repeated_response_headers_stay_apart_and_in_order
56  a:check           the_response_arrives_whole
57  w:errors          after_the_head_the_response_is_cut_and_never_ends_cleanly
57  a:errors          an_exception_after_the_first_byte_cuts_the_response
58  early_hints       hints_*
59  a:response        trailers_are_taken_and_dropped
60  w:environ         root_path_is_taken_off_at_a_slash_and_only_there
61  w:environ         root_path_is_taken_off_at_a_slash_and_only_there
62  w:environ         root_path_is_taken_off_at_a_slash_and_only_there
63  w:environ         script_name_of_the_process_is_not_the_requests
64  w:environ         the_path_is_what_the_client_wrote_byte_for_byte
65  a:headers         paths_keep_every_byte_and_never_fail
65  a:check           a_query_may_hold_any_byte
66  w:check           a_query_may_hold_any_byte
67  w:environ         server_port_is_a_number_in_a_str_whatever_the_server_gives
67  w:environ         the_validator_of_the_standard_library_finds_nothing
68  w:environ         the_client_is_named_where_it_is_known
68  a:headers         what_servers_leave_out_or_empty_is_tolerated
69  a:headers         what_servers_leave_out_or_empty_is_tolerated
69  a:request_body    a_content_length_that_is_no_number_is_answered_400
70  a:headers         what_servers_leave_out_or_empty_is_tolerated
71  w:environ         errors_go_to_stderr_and_the_flags_say_what_is_true
72  w:environ         the_scope_is_at_hand_and_left_as_it_was
72  w:lifespan        the_servers_own_state_reaches_the_app_as_well
72  a:headers         the_environ_is_at_hand_and_left_as_it_was
73  a:headers         a_cookie_header_stays_one
74  w:environ         the_scope_is_at_hand_and_left_as_it_was
75  a:apps            what_is_no_asgi_app_is_refused_when_it_is_wrapped
75  a:apps            an_asgi_2_app_is_served
76  a:errors          the_traceback_of_a_starlette_route_is_not_lost
76  a:errors          an_error_that_comes_when_the_server_is_gone_is_logged
77  a:errors          an_app_that_returns_*
78  a:errors          an_exception_before_the_first_byte_is_a_500_with_a_traceback
78  a:errors          an_exception_is_raised_to_middleware_outside_on_request
79  a:disconnects     start_response_that_raises_reaches_the_server_and_ends_the_app
80  w:disconnects     send_that_fails_stops_the_app_and_its_own_exception_reaches_the_server
81  w:errors          what_would_end_the_server_is_contained_and_the_pool_goes_on
81  w:closing         after_an_exception_while_iterating
81  a:errors          what_would_end_the_process_ends_the_request_and_the_loop_goes_on
82  a:lifespan        startup_runs_once_before_the_first_request_on_the_same_loop_and_shutdown_once_at_the_end
83  a:lifespan        a_failed_startup_is_raised_at_every_request_and_not_tried_again
83  a:lifespan        on_insists
84  a:lifespan        every_request_has_a_copy_of_the_state
85  a:processes       the_end_of_the_process_shuts_the_app_down_once
85  a:lifespan        a_with_block_starts_it_at_once_and_closes_it_at_the_end
86  w:lifespan        startup_and_shutdown_are_answered_and_the_threads_end
87  a:processes       an_app_*
87  a:processes       a_fork_while_the_loop_starts_does_not_lock_the_child_out
88  w:forks           a_*
89  a:threads         a_thousand_wrapped_apps_share_one_thread
90  a:threads         the_loop_is_the_one_asked_for_and_runs_in_debug_mode_here
90  a:threads         calling_it_on_its_own_loops_thread_is_an_error_and_not_a_hang
91  a:threads         locks_and_queues_of_the_app_work_over_many_requests
92  trio              a_*
93  w:limits          as_many_run_at_once_as_there_are_threads_and_the_next_waits
93  w:limits          adapters_that_share_a_pool_share_its_bound
94  w:check           requests_run_at_the_same_time
95  w:limits          waiting_too_long_for_a_thread_is_answered_503_and_the_app_is_never_called
95  w:limits          a_full_queue_is_answered_503_with_retry_after
96  nesting           an_asgi_app_inside_wsgi_inside_asgi_is_served_with_one_thread
97  w:disconnects     cancelling_*
98  w:lifespan        a_request_*
98  a:threads         a_request_in_flight_is_finished_before_close_returns
98  a:threads         close_waits_for_background_tasks_and_cancels_those_that_do_not_end
99  w:limits          an_app_that_takes_too_long_is_answered_504
99  a:threads         an_app_that_takes_too_long_is_answered_504_and_told_to_stop
100 w:contexts        the_callers_variables_are_seen_in_the_call_the_generator_and_close
100 a:contexts        the_callers_variables_go_in_and_come_back_only_on_request
101 w:contexts        what_the_app_sets_comes_back_on_request
101 w:contexts        the_next_request_on_the_same_thread_sees_none_of_it
101 a:contexts        the_next_request_sees_none_of_it
102 w:frameworks      the_app_itself_is_called_so_what_patches_its_call_is_not_bypassed
103 a:threads         the_loop_is_the_one_asked_for_and_runs_in_debug_mode_here
105 inline            the_app_runs_on_the_servers_thread_and_its_loop_lasts
107 nesting           converting_there_and_back_gives_the_same_app
108 a:processes       async_generators_of_the_app_are_closed_before_the_loop
108 a:disconnects     an_async_generator_is_closed_with_its_response
109 a:threads         a_synchronous_client_may_use_it_as_its_transport
110 w:scopes          a_websocket_*
113 w:scopes          an_unknown_scope_type_is_an_error
"""

CHECKS = {"w:check": WSGI_TO_ASGI, "a:check": ASGI_TO_WSGI}
ENTRIES = [line.split() for line in ROWS.strip().splitlines()]


@functools.cache
def names_in(file: str) -> list[str]:
    """The names of the checks of one direction, or of a file's test functions, without their `test_`."""
    if file in CHECKS:
        return [check.name for check in CHECKS[file]]
    file = file.replace("w:", "wsgi_to_asgi_").replace("a:", "asgi_to_wsgi_")
    nodes = ast.parse((HERE / f"test_{file}.py").read_text()).body
    functions = [node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [name.removeprefix("test_") for name in functions if name.startswith("test_")]


def test_every_row_of_the_research_is_here_once_or_has_a_reason_not_to_be() -> None:
    listed = {row for row, _, _ in ENTRIES}
    assert listed | set(NOT_HERE) == {str(number) for number in range(1, 114)} | {"21b"}
    assert not listed & set(NOT_HERE)


@pytest.mark.parametrize(("row", "file", "name"), ENTRIES, ids=["-".join(entry) for entry in ENTRIES])
def test_every_named_test_exists(row: str, file: str, name: str) -> None:
    if name.endswith("*"):
        assert [found for found in names_in(file) if found.startswith(name[:-1])]
    else:
        assert name in names_in(file)
