"""The comparison at a run's end notices every way in which the API can differ from what was sent."""

import re
from collections.abc import Iterator
from random import Random

import pytest
from sqlalchemy import text

from simulator.comparison import Verdict, compare
from simulator.exports import Cohort
from simulator.loopback import served
from simulator.mixpanel import Connection, churn
from simulator.people import Population
from simulator.reader import CannotRead, Reader
from simulator.sender import Sender
from tests.relay import Relay


class Sent:
    """A relay that was sent a cohort of twenty in three cycles, and whatever is done to it afterwards."""

    def __init__(self, relay: Relay, url: str) -> None:
        self.relay = relay
        self.reader = Reader(url, relay.token)
        self.cohort = Cohort("1", "7", "Paying users", "", Population("tests", 40), set(range(20)))
        sender = Sender(url, relay.name, relay.password, Random("tests"), time_scale=0)
        self.connection = Connection(sender, [self.cohort], churn(0.2), page_size=7)
        for _ in range(3):
            self.connection.cycle()

    def compare(self) -> Verdict:
        return compare(self.reader, self.cohort, patience=0)

    def tamper(self, sql: str) -> None:
        assert self.relay.database.write(lambda db: db.execute(text(sql)).rowcount)


@pytest.fixture
def sent(relay: Relay) -> Iterator[Sent]:
    with served(relay.app) as url:
        yield Sent(relay, url)


def test_a_cohort_that_was_kept_exactly_is_exact(sent: Sent) -> None:
    verdict = sent.compare()
    assert (verdict.exact, verdict.problems) == (True, [])
    assert (verdict.sent, verdict.missing, verdict.extra) == (verdict.there, 0, 0)


def test_who_is_gone_is_missing(sent: Sent) -> None:
    sent.tamper("UPDATE membership SET left_at = 1 WHERE person_id = (SELECT min(person_id) FROM membership"
                " WHERE left_at IS NULL)")  # fmt: skip
    verdict = sent.compare()
    assert (verdict.missing, verdict.extra, verdict.exact) == (1, 0, False)


def test_who_should_be_gone_is_extra(sent: Sent) -> None:
    sent.tamper("UPDATE membership SET left_at = NULL WHERE person_id = (SELECT min(person_id) FROM membership"
                " WHERE left_at IS NOT NULL)")  # fmt: skip
    verdict = sent.compare()
    assert (verdict.missing, verdict.extra, verdict.exact) == (0, 1, False)


def test_a_wrong_member_count_is_noticed(sent: Sent) -> None:
    sent.tamper("UPDATE cohort SET member_count = member_count + 1")
    members = len(sent.cohort.members)
    assert sent.compare().problems == [f"member_count says {members + 1}, the list has {members}"]


def test_a_lost_row_of_the_log_is_noticed(sent: Sent) -> None:
    sent.tamper("DELETE FROM membership_change WHERE number = 3")
    assert "the log" in " ".join(sent.compare().problems)


def test_a_second_entry_in_a_row_is_noticed(sent: Sent) -> None:
    sent.tamper("UPDATE membership_change SET entered = true WHERE number = (SELECT min(number) FROM membership_change"
                " WHERE NOT entered)")  # fmt: skip
    assert any("rows of the log cannot be" in problem for problem in sent.compare().problems)


def test_wrong_counts_of_a_session_are_noticed(sent: Sent) -> None:
    sent.tamper("UPDATE sync_session SET entered = entered + 1 WHERE action = 'members'")
    (problem,) = sent.compare().problems
    assert re.fullmatch(r"the sessions say \d+ entered, the log \d+", problem)


def test_a_session_that_did_not_get_all_it_was_sent_is_noticed(sent: Sent) -> None:
    sent.tamper("UPDATE sync_session SET received = received - 1 WHERE action = 'members'")
    (problem,) = sent.compare().problems
    assert problem.startswith("1 sessions are not as they were sent, the first is members ")


def test_a_cohort_that_never_arrived_is_missing_as_a_whole(sent: Sent) -> None:
    sent.cohort.cohort_id = "8"
    verdict = sent.compare()
    assert verdict.missing == verdict.sent == len(sent.cohort.members)
    assert verdict.problems == ["the API does not know this cohort"]


def test_a_sync_that_failed_last_is_not_exact(sent: Sent) -> None:
    sent.cohort.failed()
    assert sent.compare().problems == ["the last sync failed"]


def test_a_paused_sync_is_not_exact(sent: Sent) -> None:
    sent.cohort.paused = "401: no"
    assert sent.compare().problems == ["Mixpanel has paused this sync (401: no)"]


def test_a_wrong_token_says_so(sent: Sent) -> None:
    sent.reader._http.headers["Authorization"] = "Bearer wrong"
    with pytest.raises(CannotRead, match="401"):
        sent.compare()
