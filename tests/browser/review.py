"""What a review of the dashboard asked for: its faults (3) and its ten changes (7). This is the one list of them: each
row names the tests that hold it, and the page that shows it, of which `make screenshots` takes a picture.

A path has words in braces for ids that are found in the database; `do` is what happens before the picture is taken, and
`shows` what must then be in sight.
"""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

Step = Callable[[Page], object]

# Ids of the instance to look at (tests/browser/demo.py), of this revision or of one before it.
IDS = {
    "paying": "SELECT id FROM cohort WHERE name = 'Paying users'",
    "late": "SELECT id FROM cohort WHERE name = 'Active this week'",
    "held": "SELECT id FROM cohort WHERE name = 'Lapsed users'",
    "late_session": """SELECT s.id FROM sync_session s JOIN cohort c ON c.id = s.cohort_id
        WHERE c.name = 'Active this week'""",
    "stalled_session": """SELECT s.id FROM sync_session s JOIN cohort c ON c.id = s.cohort_id
        WHERE c.name = 'Webinar guests'""",
    "failure": "SELECT max(id) FROM failure",
    "sent": "SELECT min(id) FROM delivery",
    "added": "SELECT min(id) FROM delivery WHERE operation = 'profile-numerical-add'",
    "query": "SELECT min(id) FROM delivery WHERE operation = 'segmentation-query'",
}


@dataclass(frozen=True)
class Row:
    name: str  # of its picture
    what: str
    path: str
    tests: tuple[str, ...]  # file::name, in tests/browser unless it says where
    shows: str = "h1"  # Playwright's selector
    do: tuple[Step, ...] = ()
    role: str = "admin"


def press(keys: str) -> Step:
    return lambda page: page.keyboard.press(keys)


def write(words: str) -> Step:
    """Into what has the focus."""
    return lambda page: page.keyboard.type(words)


def click(selector: str) -> Step:
    return lambda page: page.locator(selector).first.click()


def fill(selector: str, value: str) -> Step:
    return lambda page: page.locator(selector).first.fill(value)


def arrived(page: Page) -> None:
    """Wait for what the step before has asked for."""
    page.wait_for_load_state("networkidle")


def answered(page: Page) -> None:
    page.locator("#answered").get_by_text("accepted").first.wait_for()


def see(selector: str) -> Step:
    """Bring it to the upper part of the window."""
    return lambda page: page.locator(selector).first.evaluate(
        "(one) => scrollTo(0, one.getBoundingClientRect().top + scrollY - 160)"
    )


SHOWN = "test_review.py::test_a_row_shows_what_it_is_about"
COMPOSER = "test_composer.py::test_"
EVENT, PAYING = "/send?operation=import-events", "/cohorts/{paying}"
EVENT_FIELDS = (fill("[name='p.event']", "Signed up"), fill("[name='p.distinct_id']", "ada"))

FAULTS = [
    Row(
        "3-01-no-script-error",
        "No page has a script that fails; all pages are watched",
        EVENT,
        (
            "test_watch.py::test_the_watch_sees",
            "test_axe.py::test_axe_finds_no_violation_on_any_page_wide_or_on_a_phone",
        ),
    ),
    Row(
        "3-02-copying",
        "Curl, Python, flask send and ids are copied, in the composer too",
        "/send/history/{sent}",
        (
            "test_scripts.py::test_every_copy_button_of_every_page_copies_its_value",
            "test_send.py::test_what_is_copied_as_curl_makes_the_same_request",
        ),
    ),
    Row(
        "3-03-search-in-the-composer",
        "The key / leads to the search in the composer too",
        EVENT,
        ("test_palette.py::test_a_key_opens_the_search_and_escape_gives_the_focus_back",),
        "dialog[open]",
        (press("/"),),
    ),
    Row(
        "3-04-menus",
        "Escape and a click beside it close every menu; arrows move in it",
        PAYING,
        ("test_scripts.py::test_escape_closes_every_menu", "test_scripts.py::test_arrows_move_in_a_menu"),
        "details.menu[open] a",
        (click("main details.menu summary"),),
    ),
    Row(
        "3-05-fresh-times",
        "Relative times stay fresh, with the exact ones on hover",
        "/",
        (
            "test_scripts.py::test_relative_times_stay_fresh",
            "test_scripts.py::test_ages_are_written_as_the_server_writes_them",
        ),
        "time[data-ago]",
    ),
    Row(
        "3-06-rows-and-heads",
        "A whole row is to press, and heads sort",
        "/cohorts?sort=members",
        ("test_at_size.py::test_a_whole_row_is_to_press", "test_at_size.py::test_heads_sort_and_stay_in_view"),
        "th[aria-sort]",
    ),
    Row(
        "3-07-fingers",
        "What is pressed on a phone is large enough for a finger",
        "/cohorts",
        ("test_axe.py::test_axe_finds_no_violation_on_any_page_wide_or_on_a_phone",),
    ),
    Row(
        "3-08-lists-stay-fresh",
        "Lists refresh themselves, and so do the numbers of the day",
        "/sessions",
        ("test_at_size.py::test_the_lists_keep_themselves_fresh",),
    ),
    Row(
        "3-09-no-such-page",
        "Whoever is signed in keeps the frame where there is no page",
        "/nosuch",
        (SHOWN,),
        "nav >> text=Cohorts",
    ),
    Row(
        "3-10-viewer-imports",
        "A viewer is not told to do what viewers may not",
        "/send/imports",
        (SHOWN, "../dashboard/test_offered.py::test_whatever_a_page_offers_its_reader_may_do"),
        "h1",
        role="viewer",
    ),
]

CHANGES = [
    Row(
        "7-01-back-after-a-search",
        "Back after a search leads to what it found",
        "/people",
        ("test_back.py::test_back_after_a_search_and_what_it_found",),
        "text=Carla",
        (click("main form input:not([type=hidden])"), write("carla"), press("Enter"), arrived),
    ),
    Row(
        "7-01-check-only",
        "Back and reload after Check only and after Send lead to the form",
        EVENT,
        (
            "test_back.py::test_back_after_a_form_leads_to_the_form_and_repeats_nothing",
            f"{COMPOSER}a_check_says_so_in_the_foot_and_sends_nothing",
        ),
        "text=Nothing was sent",
        (*EVENT_FIELDS, click(".actions [data-checks]"), arrived),
    ),
    Row(
        "7-01-rotation",
        "A reload makes no other password",
        "/connections/newsletter",
        (
            "test_back.py::test_back_after_a_rotation_makes_no_other_password",
            "test_tasks.py::test_rotate_a_password_once_however_often_the_page_is_loaded",
        ),
        "text=Rotate the password",
    ),
    Row(
        "7-01-lists-in-place",
        "The next members come in place, and the list says which these are of how many",
        PAYING,
        (
            "test_lists.py::test_the_next_members_come_in_place_and_back_leads_to_those_before",
            "test_lists.py::test_what_is_around_a_list_stays_as_it_is",
        ),
        "text=51 to 100 of",
        (see("#list"), click(".pager a[rel=next]"), arrived),
    ),
    Row(
        "7-01-draft",
        "The composer keeps a draft that was not sent",
        EVENT,
        ("test_drafts.py::test_a_draft_is_there_again_after_a_look_elsewhere",),
        "text=Start over",
        (
            *EVENT_FIELDS,
            lambda page: page.goto(page.url.split("/send")[0] + "/cohorts"),
            lambda page: page.go_back(),
            arrived,
        ),
    ),
    Row(
        "7-02-connection-is-its-worst-cohort",
        "A connection stands as the worst of its cohorts does",
        "/connections",
        (SHOWN, "../dashboard/test_connections.py::test_the_list_says_how_each_stands_and_what_it_carries"),
        "tr:has-text('newsletter') >> text=Stalled",
    ),
    Row(
        "7-02-late-overview",
        "Late comes before stalled: which pages are missing, without a rate or an estimate",
        "/",
        (SHOWN, "../dashboard/test_overview.py::test_a_stalled_export_is_named_though_nobody_must_act"),
        "text=pages 31 and 72 to 100 are missing",
    ),
    Row(
        "7-02-late-cohort",
        "The same pages on the cohort",
        "/cohorts/{late}",
        (SHOWN,),
        "text=pages 31 and 72 to 100 are missing",
    ),
    Row(
        "7-02-late-session",
        "The same pages on the session",
        "/sessions/{late_session}",
        (SHOWN,),
        "text=pages 31 and 72 to 100 are missing",
    ),
    Row(
        "7-02-one-time",
        "A one-time export never starts over",
        "/sessions/{stalled_session}",
        (SHOWN,),
        "text=one-time export",
    ),
    Row(
        "7-03-answer-beside-the-form",
        "Ctrl+Enter sends, and the answer comes beside the form",
        EVENT,
        (f"{COMPOSER}ctrl_enter_sends_and_the_answer_comes_beside_the_form",),
        "#answered >> text=accepted",
        (*EVENT_FIELDS, press("Control+Enter"), answered),
    ),
    Row(
        "7-03-foot",
        "Send, Check, the project and its warning stay in view",
        EVENT,
        (
            f"{COMPOSER}the_foot_with_send_check_and_project_stays_in_view",
            f"{COMPOSER}the_button_says_that_it_sends_and_cannot_be_pressed_twice",
        ),
        ".actions [data-checks]",
    ),
    Row(
        "7-03-stopped",
        "What a check stops is said in the foot, with Fix and Send all the same",
        EVENT,
        (f"{COMPOSER}what_a_check_stops_says_so_in_view_and_fix_leads_to_the_field",),
        "text=is missing",
        (fill("[name='p.event']", "Signed up"), press("Control+Enter"), arrived),
    ),
    Row(
        "7-03-asks-once",
        "What adds is run again after a question with its count",
        "/send/history/{added}",
        (f"{COMPOSER}what_adds_is_run_again_after_a_question_with_its_count",),
        "h1",
        (click("text=Run again"), arrived),
    ),
    Row(
        "7-03-shown-is-sent",
        "Time and $insert_id are fixed when the preview is made",
        EVENT,
        ("test_send.py::test_an_event_is_composed_seen_sent_and_run_again",),
        "text=$insert_id",
        (*EVENT_FIELDS, arrived),
    ),
    Row(
        "7-04-table-and-chart",
        "A query is answered with what came, a table with totals and a chart",
        "/send/history/{query}",
        (
            "test_answers.py::test_a_query_is_answered_with_what_came_a_table_and_totals",
            "test_answers.py::test_the_table_is_downloaded_as_csv",
        ),
        "#shown tfoot",
    ),
    Row(
        "7-04-json",
        "Its JSON is found, folded, copied and downloaded",
        "/send/history/{query}",
        ("test_answers.py::test_json_is_found_folded_and_copied",),
        "text=JSON",
        (see("text=JSON"), click("text=JSON")),
    ),
    Row(
        "7-05-palette",
        "One box over any page finds people, cohorts, sessions, calls, pages and actions",
        "/sessions",
        (
            "test_palette.py::test_a_cohort_is_found_chosen_and_opened_without_a_pointer",
            "test_palette.py::test_what_was_looked_at_lately_comes_first_and_is_forgotten_at_the_end",
        ),
        "dialog >> text=Paying users",
        (press("Control+k"), write("paying"), arrived),
    ),
    Row(
        "7-05-keys",
        "g and a key lead to places, j and k move in lists, ? lists the keys",
        "/cohorts",
        (
            "test_palette.py::test_the_question_mark_lists_the_keys",
            "test_palette.py::test_g_and_a_key_lead_to_every_place",
            "test_palette.py::test_j_and_k_move_in_a_list_and_enter_opens_the_row",
        ),
        "dialog[open]",
        (press("?"),),
    ),
    Row(
        "7-06-day-of-sessions",
        "A bar for each half hour filters, and a row is a cohort's cycle, those without change folded",
        "/sessions",
        (
            "test_at_size.py::test_a_bar_of_the_day_filters_its_half_hour",
            "test_at_size.py::test_several_states_and_those_that_changed_something",
        ),
        "text=without change",
    ),
    Row(
        "7-06-cohorts-problems-first",
        "Problems first, chips with counts, a filter while typing, heads that sort",
        "/cohorts",
        (
            "test_at_size.py::test_cohorts_are_filtered_while_somebody_types",
            "test_at_size.py::test_heads_sort_and_stay_in_view",
        ),
        "text=1 held",
    ),
    Row(
        "7-07-refused-call",
        "The refused call is kept masked, revealed to admins, tried again and copied; one box says whether it is over",
        "/failures/{failure}",
        ("test_refused_request.py::test_a_refused_request_is_masked_revealed_tried_and_copied",),
        "text=Values of members are masked",
    ),
    Row(
        "7-08-channels",
        "Channels for alerts are added and tested on the page",
        "/settings/alerts",
        (
            "test_alert_channels.py::test_a_channel_is_added_tested_in_place_and_removed",
            "test_tasks.py::test_set_up_an_alert_in_the_browser",
        ),
    ),
    Row(
        "7-08-nobody-is-told",
        "The overview says so while nobody is told",
        "/",
        (SHOWN,),
        "text=Nobody is told",
        (see("text=Nobody is told"),),
    ),
    Row(
        "7-08-time-zone",
        "A time zone in the account, which each chart names",
        "/account",
        ("test_time_zone.py::test_pages_are_written_in_the_zone_that_was_chosen",),
        "text=Time zone",
    ),
    Row(
        "7-08-invitation",
        "Somebody is invited by a link that works once",
        "/settings/operators",
        (
            "test_one_time_links.py::test_somebody_is_invited_chooses_a_password_and_is_in",
            "test_tasks.py::test_add_a_second_operator_who_chooses_their_own_password",
        ),
    ),
    Row(
        "7-09-charts",
        "Zero on every axis, signs and words for both directions, gaps, days and the zone",
        PAYING,
        (
            "test_lists.py::test_every_chart_has_zero_on_its_axis",
            "test_charts.py::test_entries_and_exits_have_their_signs_on_the_axis",
            "test_charts.py::test_where_nothing_came_there_is_a_gap",
            "test_charts.py::test_the_day_is_marked_on_an_axis_of_hours_and_every_chart_names_its_zone",
        ),
        "canvas",
        (see("canvas"),),
    ),
    Row("7-09-pace-of-a-session", "p50 and p99 of a session", "/sessions/{late_session}", (SHOWN,), "text=p99"),
    Row(
        "7-09-as-of-a-day",
        "As of a day says how many then and now, and the export is what is shown",
        PAYING,
        (
            "test_lists.py::test_a_cohort_as_of_a_day_tells_how_many_then_in_place",
            "test_charts.py::test_the_moment_that_is_asked_about_is_marked_as_soon_as_it_is",
            "test_tasks.py::test_a_cohort_as_of_a_day_says_how_many_and_exports_what_is_shown",
        ),
        "text=members then",
        (click("text=a week ago"), arrived, see("text=members then")),
    ),
    Row(
        "7-09-time-of-an-event",
        "A time as people read it, now in one press; people are offered by id",
        EVENT,
        (
            f"{COMPOSER}a_time_is_shown_as_people_read_it_and_now_is_one_press",
            f"{COMPOSER}people_are_offered_while_their_id_is_typed_and_nothing_of_them_is_in_an_address",
        ),
        "text=Now",
    ),
    Row(
        "7-10-phone",
        "Five places at the foot, rows of two lines, filters behind one button",
        "/sessions",
        (
            "test_phone.py::test_five_places_stand_at_the_foot_and_more_opens_the_others",
            "test_phone.py::test_a_row_is_its_name_and_state_and_below_them_all_else",
            "test_phone.py::test_filters_are_behind_one_button",
        ),
        "nav >> text=Cohorts",
    ),
    Row(
        "7-10-tab-and-counts",
        "The title, the favicon and the sidebar say what needs somebody",
        "/cohorts",
        ("test_attention.py::test_the_tab_and_the_sidebar_say_what_needs_somebody_as_soon_as_the_page_hears_of_it",),
        "nav >> text=Cohorts",
    ),
    Row(
        "7-10-ids",
        "Names first and linked, then ids that can be told apart",
        "/cohorts/{held}",
        (
            "test_lists.py::test_back_from_a_member_leads_to_the_same_members",
            "../dashboard/test_ids.py::test_those_of_one_list_can_be_told_apart",
        ),
        "text=lapsed-",
        (see("text=lapsed-"),),
    ),
    Row(
        "7-10-icons",
        "Each state has a drawn icon and a word",
        "/destinations",
        (SHOWN, "../dashboard/test_style.py::test_every_icon_that_a_page_shows_is_drawn"),
        ".state svg",
    ),
]
ROWS = FAULTS + CHANGES
