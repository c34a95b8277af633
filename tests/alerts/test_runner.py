"""What was told is kept in the database: each change is one message to each channel, whoever notices it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import event

import alerts
from commands.work import addresses
from tests.alerts.subjects import kinds, log, look, see, subject_in
from tests.conftest import MakeRelay
from tests.relay import MINUTE, Relay

ALL = {
    "smtp_url": "smtp://127.0.0.1:1",
    "alert_email_to": "ops@example.com",
    "alert_slack_url": "http://127.0.0.1:1/slack",
    "alert_webhook_url": "http://127.0.0.1:1/hook",
    "public_url": "https://relay.example.com",
}


@pytest.fixture
def relay(make_relay: MakeRelay) -> Relay:
    """A relay that tells its alerts to one webhook."""
    return make_relay(alert_webhook_url=ALL["alert_webhook_url"], public_url=ALL["public_url"])


def test_a_change_is_told_once_and_outlives_the_worker(relay):
    see(relay, "in_step", "failing", "failing", "failing", "receiving", "in_step")
    assert kinds(relay) == ["failing", "recovered"]


def test_a_message_says_what_why_what_to_do_and_where(relay):
    see(relay, "failing")
    (row,) = log(relay)
    assert row.title == 'Cohort "Paying users" is failing'
    assert row.message == "Mixpanel got 3 refusals in a row.\nWhat to do: See the failure."
    assert row.link == "https://relay.example.com/cohorts/12"
    assert (row.subject, row.state, row.attempts, row.at) == ("cohort 12", "waiting", 0, relay.clock())


def test_each_configured_channel_gets_its_row(make_relay):
    relay = make_relay(**ALL)
    see(relay, "held")
    assert [row.channel for row in log(relay)] == ["email", "slack", "webhook"]


def test_without_a_channel_nobody_looks(make_relay):
    relay = make_relay()
    relay.refresh(["A"])
    alerts.run_once(relay.database, relay.app.extensions["runtime"].settings, relay.clock, addresses(relay.app.url_map))
    assert relay.rows("SELECT subject FROM alert_state") == []


def test_flapping_is_told_once_and_its_end_when_it_is_steady(relay):
    see(relay, "in_step", *["failing", "in_step"] * 4, "quiet", gap=MINUTE)
    assert kinds(relay) == ["failing", "recovered", "failing", "recovered", "changing"]
    assert "you heard last (that all is well)" in log(relay)[-1].message
    see(relay, "quiet", gap=14 * MINUTE)
    assert len(kinds(relay)) == 5
    see(relay, "quiet", "quiet", gap=MINUTE)
    assert kinds(relay)[5:] == ["quiet"]


def test_subjects_are_told_of_one_by_one(relay):
    both = look(subject_in("failing"), subject_in("quiet", "connection crm", "Connection crm"))
    alerts.tell(relay.database, relay.app.extensions["runtime"].settings, both, relay.clock())
    assert [(row.subject, row.kind) for row in log(relay)] == [("cohort 12", "failing"), ("connection crm", "quiet")]


def test_a_name_with_a_line_break_stays_on_the_title_line(relay):
    see(relay, "failing", name="Paying\r\nBcc: everybody@example.com")
    assert log(relay)[0].title == "Paying Bcc: everybody@example.com is failing"


def test_two_workers_that_see_the_same_change_tell_it_once(relay):
    settings = relay.app.extensions["runtime"].settings
    for round_of, state in enumerate(["failing", "in_step", "stalled"]):
        both_look = Barrier(2)

        def looking(_db, state=state, both_look=both_look):
            both_look.wait(20)  # by now each has read what is known
            return [subject_in(state)]

        def tell(_worker, looking=looking):
            return alerts.tell(relay.database, settings, looking, relay.clock())

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(tell, range(2))) == [0, 1]
        assert len(log(relay)) == round_of + 1


def test_a_round_without_news_writes_nothing(relay):
    see(relay, "in_step", "failing")
    said = []
    for engine in {relay.database.reader, relay.database.writer}:
        event.listen(engine, "before_cursor_execute", lambda *words: said.append(words[2]))
    see(relay, "failing")
    assert [statement.split()[0] for statement in said] == ["SELECT"]


def test_messages_go_after_ninety_days(relay):
    see(relay, "failing")
    relay.clock.forward(90 * 24 * 60 * MINUTE)
    see(relay, "in_step")
    assert alerts.prune(relay.database, relay.clock()) == 0
    relay.clock.forward(1)
    assert alerts.prune(relay.database, relay.clock()) == 1
    assert kinds(relay) == ["recovered"]


def test_the_log_is_read_page_by_page_newest_first(relay):
    see(relay, "failing", "in_step", "quiet")
    first = relay.database.read(lambda db: alerts.log(db, None, 2))
    rest = relay.database.read(lambda db: alerts.log(db, first[-1].id, 2))
    assert [row.kind for row in [*first, *rest]] == ["quiet", "recovered", "failing"]


def test_a_test_message_is_queued_on_every_channel(make_relay):
    relay = make_relay(**ALL)
    settings = relay.app.extensions["runtime"].settings
    alerts.send_test(relay.database, settings, "ada@example.com", relay.clock())
    assert [(row.channel, row.kind) for row in log(relay)] == [(name, "test") for name in alerts.configured(settings)]
    assert log(relay)[0].message.startswith("ada@example.com asked for this test")


@pytest.mark.parametrize(
    ("given", "channels"),
    [
        ((), []),
        (("smtp_url",), []),
        (("smtp_url", "alert_email_to"), ["email"]),
        (("alert_slack_url",), ["slack"]),
        (("alert_webhook_url",), ["webhook"]),
    ],
)
def test_a_channel_is_configured_when_its_settings_are_there(make_relay, given, channels):
    relay = make_relay(**{name: ALL[name] for name in given})
    assert alerts.configured(relay.app.extensions["runtime"].settings) == channels
