"""The overview: one sentence that says how things are, what needs somebody, what is under way, the last day."""

import re
from typing import Any

import pytest
from sqlalchemy import event, text

from blueprints.dashboard.overview import verdict
from config.clock import DAY, MINUTE, SECOND
from tests.dashboard.test_people import words
from tests.relay import Browser, Relay


def now(browser: Browser) -> str:
    return browser.page("/overview/now")


def sentence(page: str) -> tuple[str, str]:
    """The tone and the words of the one heading on top."""
    ((tone, said),) = re.findall(r'<h1 class="([a-z-]+)">(.*?)</h1>', page, re.DOTALL)
    return tone, re.sub(r"^\W+", "", words(said))


def needs(page: str) -> list[tuple[str, str, str]]:
    """What is listed: the words, the button, where it leads."""
    found = re.findall(
        r'<li class="note [^"]*">\s*<p>(.*?)</p>\s*<a class="button" href="(.*?)">(.*?)<', page, re.DOTALL
    )
    return [(re.sub(r"^\W+", "", words(said)), word, path) for said, path, word in found]


def beat(relay: Relay, cohort: str, name: str, times: int = 4) -> None:
    """Empty diffs every 30 minutes, as Mixpanel's heartbeat."""
    for number in range(times):
        relay.clock.forward(30 * MINUTE)
        relay.add([], cohort=cohort, name=name, session=f"{cohort} beat {number}")


def held(relay: Relay) -> None:
    """A refresh that would remove 150 of 200."""
    relay.refresh([f"p{number}" for number in range(200)], session="all")
    relay.refresh([f"p{number}" for number in range(50)], session="few")


# --- nothing yet


def test_before_the_first_delivery_three_steps_lead_to_it(relay: Relay) -> None:
    page = relay.sign_in("operator").page("/")
    assert sentence(page) == ("off", "Nothing has been received yet.")
    steps = ["Create a connection", "Paste it into Mixpanel", "Watch the first call arrive"]
    assert re.findall(r"<h3>(.*?)</h3>", page) == steps
    assert 'href="/connections/crm">See it with simulated data</a>' in page


def test_without_a_connection_the_first_step_makes_one(relay: Relay) -> None:
    relay.database.write(
        lambda db: (db.execute(text("DELETE FROM connection_password")), db.execute(text("DELETE FROM connection")))
    )
    assert '<a class="button primary" href="/connections/new">' in relay.sign_in("operator").page("/")
    assert "/connections/new" not in Browser(relay, "viewer").page("/")


def test_the_steps_go_when_something_came(relay: Relay) -> None:
    relay.refresh(["A"])
    assert "Paste it into Mixpanel" not in relay.sign_in("viewer").page("/")


def test_the_page_with_the_steps_comes_anew_at_the_first_delivery(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    found = re.search(r'hx-get="(/overview/now[^"]*)"', browser.page("/"))
    assert found is not None
    assert "HX-Refresh" not in browser.get(found[1]).headers
    relay.refresh(["A"])
    assert browser.get(found[1]).headers["HX-Refresh"] == "true"
    assert "HX-Refresh" not in browser.get("/overview/now").headers


# --- the sentence


def test_all_in_step_is_said_in_one_sentence(relay: Relay) -> None:
    for cohort in ("7", "8", "9"):
        relay.refresh(["A"], cohort=cohort)
    relay.clock.forward(4 * MINUTE)
    page = relay.sign_in("viewer").page("/")
    assert sentence(page) == ("in-step", "All 3 cohorts are in step.")
    assert "Last sync 4 min ago." in words(page)
    assert needs(page) == []


def test_one_cohort_is_not_many(relay: Relay) -> None:
    relay.refresh(["A"])
    assert sentence(now(relay.sign_in("viewer")))[1] == "The one cohort is in step."


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([], "Nothing has been received yet."),
        (["in_step"] * 1200, "All 1,200 cohorts are in step."),
        (["in_step"] * 11 + ["one_time"], "All 12 cohorts are well: 11 are in step, 1 was a one-time export."),
        (["stalled"], "The one cohort has stalled."),
        (["in_step", "stalled"], "1 of 2 cohorts is in step, 1 has stalled."),
        (
            ["quiet", "in_step", "in_step", "receiving", "one_time", "off", "held", "failing"],
            "2 of 8 cohorts are in step, 1 is being received, 1 is failing, 1 is held, 1 has gone quiet, 1 was a \
one-time export, 1 is switched off.",
        ),
        (
            ["receiving", "settling", "sweeping", "in_step"],
            "All 4 cohorts are well: 1 is in step, 3 are being received.",
        ),
        (["late", "in_step"], "1 of 2 cohorts is in step, 1 is late."),
        (["off", "off", "quiet"], "1 of 3 cohorts has gone quiet, 2 are switched off."),
    ],
)
def test_cohorts_are_counted_by_state(states: list[str], said: str) -> None:
    assert verdict.count_states(states) == said


def test_a_held_refresh_needs_a_decision(relay: Relay) -> None:
    held(relay)
    browser = relay.sign_in("operator")
    assert sentence(now(browser)) == ("held", "1 thing needs you")
    assert needs(now(browser)) == [
        (
            "Paying users This refresh would remove 150 of 200 members. Everyone stays until you decide.",
            "Decide",
            f"/cohorts/{relay.cohort()['id']}/held",
        )
    ]
    assert needs(now(relay.sign_in("viewer")))[0][1] == "Open"


def test_a_paused_sync_is_named_with_its_failure(relay: Relay) -> None:
    relay.refresh(["A"])
    relay.clock.forward(MINUTE)
    relay.post("members", ["A"], page=0, total=3, session="bad")
    (failure,) = relay.failures()
    page = now(relay.sign_in("viewer"))
    assert sentence(page) == ("needs-you", "1 thing needs you")
    assert needs(page) == [
        (
            f"Paying users Mixpanel paused this sync. We told Mixpanel: {failure['message']}",
            "See failure",
            f"/failures/{failure['id']}",
        )
    ]
    assert "The one cohort is failing." in words(page)


def test_a_wrong_password_is_the_connections_failure(relay: Relay) -> None:
    relay.password = "wrong"
    relay.post("members", ["A"])
    page = relay.sign_in("viewer").page("/")
    assert sentence(page)[1] == "1 thing needs you"
    assert needs(page)[0][0].startswith("crm Mixpanel paused this sync. We told Mixpanel: The username or password")


def test_a_quiet_cohort_is_named_with_where_to_look(relay: Relay) -> None:
    beat(relay, "7", "Paying users")
    beat(relay, "8", "Trial users", times=8)
    page = now(relay.sign_in("viewer"))
    assert sentence(page) == ("waiting", "1 thing needs you")
    ((said, word, path),) = needs(page)
    assert said.startswith("Paying users No call for 4 h; they usually come every 30 min.")
    assert (word, path) == ("Open", f"/cohorts/{relay.cohort()['id']}")
    assert "1 of 2 cohorts is in step, 1 has gone quiet." in words(page)


def test_a_quiet_connection_is_one_thing_whatever_its_cohorts(relay: Relay) -> None:
    for cohort in ("7", "8", "9"):
        beat(relay, cohort, cohort)
    relay.clock.forward(DAY)
    page = relay.sign_in("viewer").page("/")
    assert sentence(page)[1] == "1 thing needs you"
    assert [path for _, _, path in needs(page)] == ["/connections/crm"]
    assert "3 cohorts have gone quiet" in words(page)


def test_a_stalled_export_is_named_though_nobody_must_act(relay: Relay) -> None:
    relay.refresh(["A"], page=1, total=10)
    relay.wait(16 * MINUTE)
    page = now(relay.sign_in("viewer"))
    assert sentence(page) == ("waiting", "The one cohort has stalled.")
    ((said, word, path),) = needs(page)
    assert said.startswith("Paying users Pages 2 to 10 are missing; the last page came 16 min ago.")
    assert (word, path) == ("Open", f"/sessions/{relay.session()['id']}")


def test_the_worst_comes_first_and_sets_the_tone(relay: Relay) -> None:
    held(relay)
    relay.refresh(["A"], page=1, total=10, cohort="8", name="Stuck")
    relay.wait(16 * MINUTE)
    relay.post("members", ["A"], page=0, total=3, session="bad", cohort="9")
    relay.refresh(["A"], cohort="10", name="Bad")
    relay.clock.forward(SECOND)
    relay.post("members", ["A"], page=0, total=3, session="bad", cohort="10", name="Bad")
    page = now(relay.sign_in("operator"))
    assert sentence(page) == ("needs-you", "3 things need you")
    assert [word for _, word, _ in needs(page)] == ["See failure", "See failure", "Decide", "Open"]


def test_many_needs_are_cut_and_the_rest_counted(relay: Relay) -> None:
    for number in range(verdict.MOST_NEEDS + 3):
        relay.refresh(["A"], page=1, total=10, cohort=str(number))
    relay.wait(16 * MINUTE)
    page = now(relay.sign_in("viewer"))
    assert len(needs(page)) == verdict.MOST_NEEDS
    assert "3 more things in the list of cohorts" in words(page)


def test_what_is_switched_off_is_not_called_in_step(relay: Relay) -> None:
    relay.refresh(["A"])
    relay.database.write(lambda db: db.execute(text("UPDATE connection SET enabled = false")))
    page = relay.sign_in("viewer").page("/")
    assert sentence(page) == ("off", "The one cohort is switched off.")


# --- the page itself


def statements(relay: Relay, browser: Browser, path: str) -> list[str]:
    ran: list[str] = []

    def note(_db: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        ran.append(sql)

    event.listen(relay.database.reader, "before_cursor_execute", note)
    browser.page(path)
    event.remove(relay.database.reader, "before_cursor_execute", note)
    return ran


@pytest.mark.parametrize("path", ["/", "/overview/now"])
def test_it_takes_few_statements_however_much_there_is(relay: Relay, path: str) -> None:
    for number in range(20):
        relay.refresh(["A"], page=1, total=2, cohort=str(number))
    relay.post_raw("not json")
    assert len(statements(relay, relay.sign_in("viewer"), path)) <= 12


def test_names_from_outside_are_written_as_text(relay: Relay) -> None:
    relay.refresh(["A"], page=1, total=10, name="<script>x</script>")
    relay.wait(16 * MINUTE)
    assert "<script>x" not in relay.sign_in("viewer").page("/")
