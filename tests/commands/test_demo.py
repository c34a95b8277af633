"""`flask demo`: six weeks that look alive, played once through the real endpoint."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from app import create_app
from config.clock import DAY, now
from simulator.comparison import compare
from simulator.loopback import served
from simulator.mixpanel import Connection, churn
from simulator.plan import PROJECT, Plan, continued_cohorts
from simulator.reader import Reader
from simulator.sender import Sender
from tests.commands.conftest import terminal_of
from tests.conftest import settings_for
from tests.failing.server import BIN, ROOT, free_port, wait_until
from tests.played_demo import Demo, token_of
from tests.servers import SECRET_KEY

pytestmark = pytest.mark.slow

NAMES = {
    "Trial users",
    "Paying users",
    "Churn risk",
    "Power users",
    "Newsletter readers",
    "Beta testers",
    "Webinar guests",
}
COUNTS = "SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM sync_session), (SELECT count(*) FROM cohort)"


@pytest.fixture(scope="module")
def demo(played_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    one = Demo(played_demo, tmp_path_factory.mktemp("demo"))
    yield one
    one.database.dispose()


def test_it_makes_the_cohorts_and_says_so(demo: Demo) -> None:
    assert set(demo.column("SELECT name FROM cohort")) == NAMES
    for name in NAMES:
        assert name in demo.first


def test_what_an_interrupted_run_had_left_is_gone(demo: Demo) -> None:
    assert demo.column("SELECT count(*) FROM cohort WHERE name = 'Half a cohort'") == [0]
    assert demo.column("SELECT count(*) FROM person WHERE distinct_id = 'A'") == [0]


def test_the_history_spans_six_weeks_and_ends_now(demo: Demo) -> None:
    ((oldest, newest),) = demo.rows("SELECT min(at), max(at) FROM membership_change")
    assert 41 * DAY < newest - oldest < 43 * DAY
    assert 0 < now() - newest < DAY
    days = demo.column("SELECT DISTINCT at / 86400000 FROM membership_change")
    assert len(days) > 40


def test_cohorts_grow_shrink_and_have_people_who_came_back(demo: Demo) -> None:
    moved = demo.rows("""SELECT c.name, sum(s.entered), sum(s.left_count) FROM sync_session s
        JOIN cohort c ON c.id = s.cohort_id GROUP BY c.name""")
    assert all(entered > left > 0 for name, entered, left in moved if name not in {"Webinar guests", "Beta testers"})
    assert demo.column("SELECT max(entry_number) FROM membership")[0] >= 2


def test_a_cohort_was_renamed(demo: Demo) -> None:
    assert demo.column("SELECT name FROM cohort_label") == ["Early access"]


def test_one_export_has_stalled_and_one_has_settled(demo: Demo) -> None:
    stalled = "SELECT c.name FROM sync_session s JOIN cohort c ON c.id = s.cohort_id WHERE s.status = 'stalled'"
    assert demo.column(stalled) == ["Webinar guests"]
    assert demo.column("SELECT status FROM sync_session WHERE unclear") == ["complete"]


def test_some_members_were_rejected(demo: Demo) -> None:
    rejected = demo.column("SELECT rejected_members FROM sync_page WHERE rejected > 0")
    assert {one["reason"] for page in rejected for one in json.loads(page)} == {"illegal", "blank"}


def test_calls_were_refused_in_every_way_that_matters(demo: Demo) -> None:
    assert set(demo.column("SELECT status FROM failure")) == {400, 401, 503}


def test_four_days_off_were_caught_up_by_sending_everybody(demo: Demo) -> None:
    refreshes = (
        "SELECT count(*) FROM sync_session s JOIN cohort c ON c.id = s.cohort_id WHERE action = 'members' AND c.name = "
    )
    assert demo.column(refreshes + "'Newsletter readers'") == [2]
    assert demo.column(refreshes + "'Paying users'") == [1]


def test_trials_that_ended_with_a_purchase_have_another_plan(demo: Demo) -> None:
    plans = demo.column("""SELECT p.properties FROM person p JOIN membership m ON m.person_id = p.id
        JOIN cohort c ON c.id = m.cohort_id WHERE c.name = 'Paying users' AND m.left_at IS NULL""")
    assert {json.loads(one)["plan"] for one in plans} == {"starter", "pro", "business"}


def test_the_clock_is_right_again(demo: Demo) -> None:
    assert demo.clock_was_off < 1000


def test_the_printed_token_and_addresses_work(demo: Demo) -> None:
    client = demo.app.test_client()
    calls = re.findall(r"curl -s -H '(Authorization): (Bearer \S+)' 'http://127.0.0.1:8000(\S+)'", demo.first)
    assert len(calls) == 5
    for name, value, path in calls:
        assert client.get(path, headers={name: value}).json["data"]


def test_a_second_run_doubles_nothing_and_prints_a_fresh_token(demo: Demo) -> None:
    before = demo.rows(COUNTS)
    second = demo.run()
    assert "there already" in second.stdout
    assert demo.rows(COUNTS) == before
    assert token_of(second.stdout) != token_of(demo.first)
    with served(demo.app) as url:
        assert list(Reader(url, token_of(second.stdout)).cohorts())


def test_live_cycles_go_on_from_it_and_reset_nothing(demo: Demo) -> None:
    (before,) = demo.rows("SELECT count(*), count(DISTINCT person_id) FROM membership WHERE left_at IS NULL")
    password = re.findall(
        r'"password": "(\S+)"', terminal_of(demo.app)("connections", "rotate", "crm", "--json").output
    )
    with served(demo.app) as url:
        reader = Reader(url, token_of(demo.first))
        (cohorts,) = continued_cohorts(Plan("live", PROJECT), 1, reader)
        assert {cohort.name for cohort in cohorts} == NAMES - {"Webinar guests"}
        live = Connection(Sender(url, "crm", *password, Random("live")), cohorts, churn(0.01))
        live.cycle()
        assert [compare(reader, cohort).problems for cohort in cohorts] == [[]] * 6
    (after,) = demo.rows("SELECT count(*), count(DISTINCT person_id) FROM membership WHERE left_at IS NULL")
    assert 0 < abs(after[0] - before[0]) + abs(after[1] - before[1]) < 200


def test_it_refuses_an_instance_that_has_data_of_its_own(tmp_path: Path) -> None:
    app = create_app(settings_for(tmp_path))
    terminal = terminal_of(app)
    terminal("db", "upgrade")
    terminal("connections", "add", "real")
    result = terminal("demo")
    assert result.exit_code == 1
    assert "data of its own" in result.output
    app.extensions["runtime"].database.dispose()


def test_served_it_goes_on_moving_until_it_is_told_to_stop(demo: Demo) -> None:
    port, sessions = free_port(), "SELECT count(*) FROM sync_session"
    (before,) = demo.column(sessions)
    served_there = {"INSTANCE_PATH": str(demo.folder), "SECRET_KEY": SECRET_KEY, "PORT": str(port)}
    words = [str(BIN / "flask"), "demo", "--serve"]
    running = subprocess.Popen(words, cwd=ROOT, env=os.environ | served_there, stdout=subprocess.DEVNULL)
    wait_until(lambda: demo.column(sessions)[0] >= before + 12, 120, "a live cycle of six cohorts")
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 0
