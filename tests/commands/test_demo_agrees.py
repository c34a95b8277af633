"""The demo does not contradict itself: what one of its pages says, no other page, no log and no API denies."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from config.clock import DAY, HOUR, now
from security import operators, signed_in_browsers
from tests.browser import places
from tests.played_demo import Demo, token_of
from tests.relay import PASSWORD_HASH

pytestmark = pytest.mark.slow

MINUTE = 60_000
CYCLE = 30 * MINUTE
FASTEST = 6000  # members a second that no sender of Mixpanel's reaches
PLACE = signed_in_browsers.SignInOrigin("127.0.0.1", "a test")


class Pages(Demo):
    """The demo with somebody who looks at all of it."""

    def __init__(self, played: Path, folder: Path) -> None:
        super().__init__(played, folder)
        runtime = self.app.extensions["runtime"]
        who = self.database.write(lambda db: operators.add(db, "o@example.org", PASSWORD_HASH, "admin", "test", now()))
        self.client: FlaskClient = self.app.test_client()
        with self.client.session_transaction() as session:
            session["sign_in"] = self.database.write(
                lambda db: signed_in_browsers.start(db, runtime.settings.secret_key, who, PLACE, now())
            )
        self.api_headers = {"Authorization": f"Bearer {token_of(self.first)}"}

    def page(self, path: str) -> str:
        """The words of a page, one blank between them."""
        answer = self.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, path
        return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())

    def api(self, path: str) -> Any:
        return self.client.get(f"/api/v1{path}", headers=self.api_headers).json

    @property
    def cohorts(self) -> list[Any]:
        return self.rows("SELECT id, mixpanel_cohort_id, name, member_count FROM cohort ORDER BY id")

    @property
    def connections(self) -> list[Any]:
        return self.rows("SELECT id, name, created_at FROM connection")


@pytest.fixture(scope="module")
def demo(played_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    one = Pages(played_demo, tmp_path_factory.mktemp("agreeing"))
    yield one
    one.database.dispose()


def test_nothing_happened_before_what_it_happened_to_was_made(demo: Pages) -> None:
    for one, name, made_at in demo.connections:
        first = demo.column(f"SELECT min(started_at) FROM sync_session WHERE connection_id = {one}")
        refused = demo.column(f"SELECT coalesce(min(at), {now()}) FROM failure WHERE connection = '{name}'")
        assert made_at <= first[0], name
        assert made_at <= refused[0], name
    for table in ("connection_password", "api_token", "operator"):
        used = "last_used_at" if table != "operator" else "last_signed_in_at"
        assert demo.column(f"SELECT count(*) FROM {table} WHERE {used} < created_at") == [0], table
    assert demo.column("SELECT count(*) FROM membership WHERE left_at < entered_at") == [0]
    assert demo.column("SELECT count(*) FROM sync_session WHERE last_page_at < started_at") == [0]


def test_nothing_is_still_to_happen(demo: Pages) -> None:
    for table, column in (
        ("sync_session", "last_page_at"),
        ("membership_change", "at"),
        ("failure", "last_at"),
        ("audit_entry", "at"),
        ("connection_password", "last_used_at"),
    ):
        assert demo.column(f"SELECT max({column}) FROM {table}")[0] <= now(), table


def test_a_connection_is_in_one_state_on_every_page(demo: Pages) -> None:
    listed, overview = demo.page("/connections"), demo.page("/")
    for _id, name, _made_at in demo.connections:
        own = demo.page(f"/connections/{name}")
        (state,) = re.findall(rf" {name} ([A-Z][\w -]*?) (?:Last call|Webinar|\d)", own)
        assert f"{name} {state}" in listed
        assert ("In step" in state) == (f"Connections to look at {name}" not in overview)
        assert "Waiting for the first call" not in own
        assert "Received:" in demo.page(f"/connections/{name}/waiting")


def test_a_connection_was_last_called_when_its_password_was_last_used(demo: Pages) -> None:
    for one, name, _made_at in demo.connections:
        (used,) = demo.column(f"SELECT max(last_used_at) FROM connection_password WHERE connection_id = {one}")
        (called,) = demo.column(f"""SELECT max(c.last_call_at) FROM cohort c
            JOIN sync_session s ON s.cohort_id = c.id AND s.number = c.session_count WHERE s.connection_id = {one}""")
        assert abs(used - called) <= MINUTE, name


def test_a_cohort_is_in_one_state_and_of_one_size_on_every_page(demo: Pages) -> None:
    listed, overview = demo.page("/cohorts"), demo.page("/")
    told = {one["cohort_id"]: one for one in demo.api("/cohorts")["data"]}
    states = Counter(one["status"] for one in told.values())
    assert f"{states['in_step']} of {len(told)} cohorts are in step" in overview
    for one, mixpanel_id, name, members in demo.cohorts:
        row = re.search(rf" {name} ([A-Z][\w ]*?) {members:,} ", listed)
        assert row is not None, name
        for page in (f"/cohorts/{one}", f"/cohorts/{one}/now"):
            assert row[1] in demo.page(page), page
            assert f"{members:,} members" in demo.page(page), page
        api = told[mixpanel_id]
        assert row[1].lower().replace(" ", "_").startswith(api["status"]), name
        assert api["member_count"] == members
        assert (name in re.sub("Cohorts that moved most.*", "", overview)) == (api["status"] != "in_step")


def test_a_cohorts_size_is_what_the_log_and_the_export_say(demo: Pages) -> None:
    for one, _mixpanel_id, name, members in demo.cohorts:
        (balance,) = demo.column(
            f"SELECT sum(CASE WHEN entered THEN 1 ELSE -1 END) FROM membership_change WHERE cohort_id = {one}"
        )
        assert balance == members, name
        moved = demo.rows(f"SELECT sum(entered) - sum(left_count) FROM sync_session WHERE cohort_id = {one}")
        assert moved == [(members,)], name
        exported = demo.client.get(f"/cohorts/{one}/members.csv").data.decode("utf-8-sig")
        assert len(list(csv.DictReader(io.StringIO(exported)))) == members


def test_cycles_come_as_often_as_a_cohorts_page_says(demo: Pages) -> None:
    for one, _mixpanel_id, name, _members in demo.cohorts:
        if "Every 30 min" in demo.page(f"/cohorts/{one}"):
            starts = demo.column(f"""SELECT DISTINCT started_at / {CYCLE} FROM sync_session
                WHERE cohort_id = {one} AND started_at > {now() - 23 * HOUR}""")
            assert len(starts) >= 44, name


def test_sessions_take_the_time_that_their_pages_and_their_settling_take(demo: Pages) -> None:
    for one, started, last, completed, unclear, pages, received in demo.rows(
        "SELECT id, started_at, last_page_at, completed_at, unclear, pages_received, received FROM sync_session"
    ):
        settles = demo.app.extensions["runtime"].settings.settle_seconds * 1000 if unclear else 0
        assert completed is None or completed - last <= settles + MINUTE, one
        assert pages == 1 or received / (last - started) * 1000 < FASTEST, one


def test_what_has_stalled_is_silent_for_long_enough(demo: Pages) -> None:
    stalled = "SELECT max(last_page_at) FROM sync_session WHERE status = 'stalled'"
    limit = demo.app.extensions["runtime"].settings.stalled_seconds * 1000
    assert demo.column(stalled)[0] < now() - limit


def test_tries_again_are_spread_as_mixpanels_are(demo: Pages) -> None:
    """Five retries within a minute: a refusal of two cohorts takes about two."""
    (first, last, count) = demo.rows("""SELECT min(at), max(last_at), sum(count) FROM failure
        WHERE cause = 'switched_off' AND at < (SELECT min(at) FROM failure WHERE cause = 'switched_off') + 600000""")[0]
    assert count == 12
    assert 90_000 < last - first < 240_000


def test_failures_that_are_over_are_over_everywhere(demo: Pages) -> None:
    overview, listed = demo.page("/"), demo.page("/failures?stretch=90d")
    assert "need" not in overview.split("Last 24 hours")[0]
    for one in demo.api("/failures?limit=1000")["data"]:
        assert "have come through since" in demo.page(f"/failures/{one['id']}")
    groups = demo.rows("SELECT DISTINCT status, cause, connection, cohort_id FROM failure")
    assert listed.count("Over: Mixpanel's next call came through") == len(groups)


def test_the_last_day_is_the_sum_of_its_hours_and_of_the_log(demo: Pages) -> None:
    overview = demo.page("/")
    totals = re.search(r"([\d,]+) entered · ([\d,]+) left · [\d,]+ calls · ([\d,]+) refused", overview)
    assert totals is not None
    hours = re.findall(r"\d\d:00 ([\d,]+) ([\d,]+) ([\d,]+)", overview)
    sums = [sum(int(row[at].replace(",", "")) for row in hours) for at in range(3)]
    assert sums == [int(one.replace(",", "")) for one in totals.groups()]
    since = (now() // HOUR - 23) * HOUR
    logged = demo.rows(f"""SELECT sum(CASE WHEN entered THEN 1 ELSE 0 END), sum(CASE WHEN entered THEN 0 ELSE 1 END)
        FROM membership_change WHERE at >= {since}""")
    assert logged == [tuple(sums[:2])]


def test_whoever_switched_a_connection_off_is_in_the_audit_trail(demo: Pages) -> None:
    """Four days of 503 do not come from nowhere, nor do connections and tokens."""
    (off, on) = demo.column("SELECT at FROM audit_entry WHERE action IN ('connection.disable', 'connection.enable')")
    refused = demo.rows("SELECT min(at), max(last_at) FROM failure WHERE cause = 'switched_off'")[0]
    assert off < refused[0] < refused[1] < on
    assert 3 * DAY < on - off < 5 * DAY
    for action, made in (
        ("connection.add", "SELECT name FROM connection"),
        ("token.add", "SELECT name FROM api_token"),
        ("operator.add", "SELECT email FROM operator"),
    ):
        subjects = demo.column(f"SELECT subject FROM audit_entry WHERE action = '{action}'")
        assert sorted(subjects) == sorted(demo.column(made)), action


def test_a_persons_page_tells_the_stays_that_the_api_tells(demo: Pages) -> None:
    for one, distinct_id in demo.rows("""SELECT p.id, p.distinct_id FROM person p JOIN membership m
            ON m.person_id = p.id GROUP BY p.id ORDER BY max(m.entry_number) DESC, count(*) DESC LIMIT 5"""):
        stays = demo.api(f"/people/1000001/{distinct_id}")["stays"]
        page = demo.page(f"/people/{one}")
        assert len(re.findall("Entered [A-Z]", page)) == len(stays)
        inside = sum(stay["left_at"] is None for stay in stays)
        assert f"In {inside} cohort" in page or (inside == 0 and "In no cohort" in page)


def test_every_page_of_it_opens(demo: Pages) -> None:
    for path in places.pages(demo.app):
        assert demo.client.get(path, follow_redirects=True).status_code == 200, path
