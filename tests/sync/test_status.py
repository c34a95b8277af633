"""How cohorts and connections stand (F1, F5, F6): the state, its urgency, and the words for it."""

from typing import Any

import pytest
from sqlalchemy import text

from security import connections
from sync.failures import Refusal, _write
from sync.status import remedies
from sync.status import text as status_text
from sync.status.cohort import TONES, CohortStatus, cohort_statuses
from sync.status.connection import ConnectionStatus, connection_statuses
from sync.sweep import decisions
from tests.conftest import MakeRelay
from tests.relay import MINUTE, SECOND, Relay
from tests.sync.statements import watched

HOUR = 60 * MINUTE


def stands(relay: Relay) -> CohortStatus:
    cohort = relay.cohort()["id"]
    (status,) = relay.database.read(lambda db: cohort_statuses(db, relay.clock(), cohort), one_statement=True)
    return status


def said(relay: Relay) -> tuple[str, str, str]:
    one = stands(relay)
    return one.state, one.headline, one.says


def called(relay: Relay, name: str = "crm") -> ConnectionStatus:
    found = relay.database.read(lambda db: connection_statuses(db, relay.clock()))
    return next(one for one in found.values() if one.name == name)


def refused(relay: Relay, status: int, cause: str = "fault", cohort: str | None = "7", message: str = "No.") -> None:
    """A refusal a second later than what came before."""
    relay.clock.forward(MINUTE + SECOND)
    refusal = Refusal(relay.clock(), status, cause, message, "r", "crm", cohort and "1", cohort)
    relay.database.write(lambda db: _write(db, refusal))


def recurring(relay: Relay) -> None:
    """A cohort that is called every ten minutes, the last time just now."""
    for beat in range(5):
        relay.clock.forward(10 * MINUTE if beat else 0)
        relay.sync("add_members" if beat else "members", ["A"], session=f"beat {beat}")


def held(relay: Relay) -> None:
    people = [f"u{number}" for number in range(120)]
    relay.refresh(people, session="first")
    relay.refresh(people[:20], session="second")


# --- the states of a cohort


def test_standing_in_step_says_when_the_next_sync_is_due(relay: Relay) -> None:
    recurring(relay)
    relay.clock.forward(4 * MINUTE)
    assert said(relay) == ("in_step", "In step", "Last sync 4 min ago, next expected in about 6 min")
    relay.clock.forward(7 * MINUTE)
    assert stands(relay).says == "Last sync 11 min ago, next expected any moment"


def test_standing_of_a_new_cohort_expects_nothing_yet(relay: Relay) -> None:
    relay.refresh(["A"])
    assert said(relay) == ("in_step", "In step", "Last sync just now")


def test_standing_receiving_tells_the_page_and_the_time_left(relay: Relay) -> None:
    for page in range(1, 7):
        relay.refresh([f"u{page}{number}" for number in range(9)], page, 10)
        relay.clock.forward(5 * SECOND)
    assert said(relay) == ("receiving", "Receiving page 6 of 10", "54 of about 90 members; done in about 20 s")


def test_standing_settling_says_what_it_waits_for(relay: Relay) -> None:
    relay.refresh(["A"], page=None)
    says = "This export does not say how many pages it has. Finished once nothing came for 2 min"
    assert said(relay) == ("settling", "Settling", says)
    relay.refresh(["A"], session="other")
    relay.refresh(["B"], session="other")
    assert stands(relay).says == "A page of this export came in two versions. Finished once nothing came for 2 min"


def test_standing_sweeping(make_relay: MakeRelay) -> None:
    relay = make_relay(sweep_inline_members=0)
    relay.refresh(["A"])
    assert said(relay) == ("sweeping", "Finishing", "All pages are here; removing those who left")


def test_standing_stalled_says_that_nobody_has_left(relay: Relay) -> None:
    for page in (1, 2, 3):
        relay.refresh([f"u{page}"], page, 10)
    relay.wait(18 * MINUTE)
    says = "Pages 4 to 10 are missing; the last page came 18 min ago. Nobody has left. "
    again = "Mixpanel starts a sync over at its next cycle; a one-time export has to be exported once more"
    assert said(relay) == ("stalled", "Stalled at 3 of 10", says + again)


def test_standing_of_a_diff_that_stalls(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    relay.remove(["A"], 1, 2, session="diff")
    relay.wait(18 * MINUTE)
    assert "What came has been applied." in stands(relay).says


def test_standing_quiet_after_three_missed_beats(relay: Relay) -> None:
    recurring(relay)
    relay.clock.forward(30 * MINUTE)
    assert stands(relay).state == "in_step"
    relay.clock.forward(70 * MINUTE)
    says = "No call for 1 h 40 min; they usually come every 10 min. Look in Mixpanel: Data, Destinations"
    assert said(relay) == ("quiet", "Quiet", says)


def test_standing_held_says_how_many_would_leave(relay: Relay) -> None:
    held(relay)
    says = "This refresh would remove 100 of 120 members. Everyone stays until you decide"
    assert said(relay) == ("held", "Held", says)
    assert stands(relay).needs_you


def test_standing_after_a_rejection_is_as_before(relay: Relay) -> None:
    held(relay)
    relay.database.write(lambda db: decisions.reject(db, relay.session()["id"], relay.clock()))
    assert stands(relay).state == "in_step"


def test_standing_of_a_one_time_export(relay: Relay) -> None:
    relay.refresh(["A"])
    relay.clock.forward(3 * HOUR)
    assert said(relay) == ("one_time", "One-time export", "Received 15 Jun; nothing more is expected")
    relay.clock.forward(365 * 24 * HOUR)
    assert "15 Jun 2025" in stands(relay).says


def test_standing_failing_after_three_refusals_in_a_row(relay: Relay) -> None:
    relay.refresh(["A"])
    refused(relay, 500)
    refused(relay, 503)
    assert stands(relay).state == "in_step"
    refused(relay, 500)
    assert said(relay) == ("failing", "Failing", "Mixpanel got 3 refusals in a row; see the failure")
    assert not stands(relay).needs_you


def test_standing_failing_after_one_refusal_that_pauses(relay: Relay) -> None:
    relay.refresh(["A"])
    relay.clock.forward(SECOND)
    assert relay.post("members", ["A"], 0, 3).status_code == 400
    one = stands(relay)
    assert one.failure is not None
    assert (one.state, one.needs_you, one.failure.cause) == ("failing", True, "impossible_page")
    assert one.says == "Mixpanel got a refusal and has paused this sync; see the failure"


def test_standing_shows_the_refusal_that_pauses_before_newer_ones(relay: Relay) -> None:
    relay.refresh(["A"])
    refused(relay, 400, message="Paused.")
    refused(relay, 503)
    found = stands(relay).failure
    assert found is not None
    assert found.message == "Paused."


def test_standing_a_call_that_succeeds_ends_failing(relay: Relay) -> None:
    relay.refresh(["A"])
    refused(relay, 400)
    relay.refresh(["A"], session="again")
    assert stands(relay).state == "in_step"


@pytest.mark.parametrize("other", ["8", None])
def test_standing_refusals_of_others_are_not_the_cohorts(relay: Relay, other: str | None) -> None:
    relay.refresh(["A"])
    refused(relay, 400, cohort=other)
    assert stands(relay).state == "in_step"


def test_standing_off(relay: Relay) -> None:
    held(relay)
    relay.database.write(lambda db: db.execute(text("UPDATE connection SET enabled = :no"), {"no": False}))
    says = "Its connection is switched off. Mixpanel keeps trying and will catch up"
    assert said(relay) == ("off", "Off", says)
    assert called(relay).state == "off"


def test_standing_held_comes_before_failing_and_failing_before_what_is_under_way(relay: Relay) -> None:
    held(relay)
    refused(relay, 400)
    assert stands(relay).state == "held"
    relay.refresh(["A"], 1, 2, session="third")
    refused(relay, 400)
    assert stands(relay).state == "failing"


def test_standing_reads_all_cohorts_in_one_statement(relay: Relay) -> None:
    for cohort in ("7", "8", "9"):
        relay.refresh(["A"], cohort=cohort)
    with watched(relay) as statements:
        found = relay.database.read(lambda db: cohort_statuses(db, relay.clock()))
    assert [one.mixpanel_cohort_id for one in found] == ["7", "8", "9"]
    assert len(statements) == 1


def test_standing_names_the_connection_of_the_newest_session(relay: Relay) -> None:
    relay.refresh(["A"])
    assert (stands(relay).connection, stands(relay).connection_enabled) == ("crm", True)


def test_standing_every_state_has_a_tone_and_words() -> None:
    assert set(TONES.values()) == {"in-step", "working", "waiting", "needs-you", "held", "off"}
    assert set(TONES) - {"receiving", "late", "stalled"} == set(status_text._HEADLINES)


# --- the states of a connection


def test_connection_standing_before_the_first_call(relay: Relay) -> None:
    one = called(relay)
    assert (one.state, one.tone, one.last_call_at) == ("never_called", "waiting", None)


def test_connection_standing_in_step_then_quiet(relay: Relay) -> None:
    recurring(relay)
    assert (called(relay).state, called(relay).last_call_at) == ("in_step", relay.clock())
    relay.clock.forward(HOUR)
    assert called(relay).state == "quiet"


def test_connection_standing_is_not_quiet_while_one_of_its_cohorts_is_called(relay: Relay) -> None:
    recurring(relay)
    relay.clock.forward(HOUR)
    relay.add(["A"], cohort="8")
    assert (called(relay).own_state, called(relay).state) == ("in_step", "quiet")


def test_connection_standing_counts_refusals_that_name_no_cohort(relay: Relay) -> None:
    relay.refresh(["A"])
    refused(relay, 401, "wrong_credentials", cohort=None)
    one = called(relay)
    assert (one.state, one.refusals, one.needs_you) == ("failing", 1, True)
    relay.refresh(["A"], session="again")
    assert called(relay).state == "in_step"


def test_connection_standing_leaves_a_cohorts_refusals_to_the_cohort(relay: Relay) -> None:
    relay.refresh(["A"])
    refused(relay, 400)
    assert (called(relay).own_state, called(relay).state) == ("in_step", "failing")


def test_connection_standing_fails_when_its_first_call_does(relay: Relay) -> None:
    relay.post_raw("{")
    assert called(relay).state == "failing"


def test_connection_standing_is_not_never_called_because_another_took_its_cohort_over(relay: Relay) -> None:
    relay.refresh(["A"], session="by crm")
    key = relay.app.extensions["runtime"].settings.secret_key
    relay.password = relay.database.write(lambda db: connections.add(db, key, "second", relay.clock()))
    relay.name = "second"
    relay.refresh(["A"], session="by the second")
    assert [called(relay, name).state for name in ("crm", "second")] == ["in_step", "in_step"]


# --- what Mixpanel does next


@pytest.mark.parametrize(
    ("status", "tone", "words"),
    [
        (400, "needs-you", "has paused"),
        (401, "needs-you", "live passwords"),
        (429, "waiting", "up to 5 times within a minute"),
        (500, "waiting", "more than 3 days"),
        (503, "waiting", "more than 3 days"),
    ],
)
def test_next_steps_say_what_mixpanel_does(status: int, tone: str, words: str) -> None:
    step = remedies.after(status, "a cause")
    assert step.tone == tone
    assert words in step.sentence
    assert ("Start the sync again" in step.steps) == (tone == "needs-you")


def test_next_steps_have_a_title_for_every_cause_in_the_code() -> None:
    import re
    from pathlib import Path

    root = Path(remedies.__file__).parents[2]
    sources = [root / "sync/contract/page.py", *(root / "blueprints/webhook").glob("*.py")]
    written: list[Any] = []
    for source in sources:
        written += re.findall(r'(?:Refused\(|_refuse\(\d+, |cause, whose = \()\s*"(\w+)"', source.read_text())
    assert len(set(written)) >= 14
    assert set(written) <= set(remedies._TITLES)
    assert remedies.title("some_new_cause") == "Some new cause"


def test_standing_nobody_expects_more_of_a_simulated_export(relay: Relay) -> None:
    """What the dashboard's button plays ends with diffs, but no cycle follows."""
    relay.refresh(["a"], cohort="simulated-crm", session="s1")
    relay.add(["b"], cohort="simulated-crm", session="s2")
    relay.clock.forward(24 * 60 * MINUTE)
    (status,) = relay.database.read(lambda db: cohort_statuses(db, relay.clock()))
    assert status.state == "one_time"


def test_connection_standing_shows_the_pause_of_a_cohort_that_was_never_received(relay: Relay) -> None:
    relay.refresh(["a"])
    relay.post("members", ["b"], page=0, total=10, cohort="never-seen")
    (found,) = relay.database.read(lambda db: connection_statuses(db, relay.clock())).values()
    assert (found.state, found.needs_you) == ("failing", True)
    relay.refresh(["b"], cohort="never-seen")
    (found,) = relay.database.read(lambda db: connection_statuses(db, relay.clock())).values()
    assert found.state == "in_step"


def test_standing_tells_no_time_left_when_the_next_page_is_overdue(relay: Relay) -> None:
    relay.refresh(["a"], page=1, total=3)
    relay.clock.forward(SECOND)
    relay.refresh(["b"], page=2, total=3)
    (one,) = relay.database.read(lambda db: cohort_statuses(db, relay.clock()))
    assert "done in about 1 s" in one.says
    relay.clock.forward(MINUTE)
    (one,) = relay.database.read(lambda db: cohort_statuses(db, relay.clock()))
    assert "done in" not in one.says
