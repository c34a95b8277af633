"""Bar: of a company's eight hosts each is killed while Mixpanel syncs and a destination is told. Nothing is lost,
nothing is told twice, and nobody is refused for longer than is said here."""

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from tests.failing.books import Books
from tests.failing.company import Company, company
from tests.failing.server import wait_until
from tests.failing.under_way import PATHS, Exports, Imports, SlowAnswers, fill, going_on
from tests.relay import Browser

pytestmark = pytest.mark.slow

NOTICED = 3  # seconds until whoever watches over the hosts does something
LONGEST = 45  # seconds of refusal; a call that is under way at a host that dies waits for nginx's 30


@dataclass(frozen=True)
class Fault:
    """What came of the death of a host: seconds without a page that was taken, and without a message that arrived."""

    host: str
    refused: float
    untold: float
    overview: str

    def __str__(self) -> str:
        return f"| {self.host} | {self.refused:.1f} s | {self.untold:.1f} s | nothing | {self.overview} |"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Company]:
    with company(tmp_path) as one:
        yield one


def longest_gap(times: list[float], since: float) -> float:
    """The longest time between two of them, of those that end after a moment."""
    return max((later - earlier for earlier, later in pairwise(times) if later >= since), default=0.0)


def overview(browser: Browser) -> str:
    """The sentence on top, and what it says besides of the relay itself."""
    response = browser.get("/")
    found = re.search(r"<h1[^>]*>.*?</span>(.*?)</h1>", response.text, re.DOTALL)
    if response.status_code != 200 or found is None:
        return f"{response.status_code}: the database does not answer"
    notes = re.findall(r"<strong>((?:Redis|The database)[^<]*)</strong>", response.text)
    return " ".join([found[1].strip(), *notes])


def strike(one: Company, browser: Browser, name: str, mend: Callable[[], None]) -> Fault:
    """Kill a host, have somebody notice, and wait until pages are taken and messages arrive again."""
    began = time.monotonic()
    one.host(name).kill(cut=name != "nginx")
    time.sleep(NOTICED)
    said = overview(browser)
    mend()
    mended = time.monotonic()
    for times in (one.mixpanel.taken, one.receiver.times):
        wait_until(lambda times=times: times and times[-1] > mended, 120, f"all to go on after {name}")
    time.sleep(2)  # whatever still waits is part of it
    fault = Fault(name, longest_gap(one.mixpanel.taken, began), longest_gap(one.receiver.times, began), said)
    sys.stdout.write(f"{fault}\n")
    return fault


def mends(one: Company) -> dict[str, Callable[[], None]]:
    """What is done about each, in the order in which they die. The primary stays dead."""

    def let_go() -> None:
        one.primary.set_synchronous("")

    def fail_over() -> None:
        one.standby.set_synchronous("")
        one.standby.promote()

    plain = {
        name: lambda name=name: one.start(name) for name in ("app1", "app2", "worker1", "worker2", "redis", "nginx")
    }
    return {**plain, "db2": let_go, "db1": fail_over}


def test_each_host_of_a_company_dies_and_nothing_is_lost_or_told_twice(running: Company) -> None:
    one, browser = running, running.relay.sign_in("viewer")
    syncing = threading.Thread(target=one.mixpanel.sync, daemon=True)
    syncing.start()
    wait_until(lambda: len(one.receiver.times) > 2 * len(one.mixpanel.members) > 0, 60, "the first refreshes")

    fill(one.relay)
    answers = SlowAnswers()
    for path in PATHS.values():
        one.taker.script(path, answers)
    over, runtime, folder = threading.Event(), one.relay.app.extensions["runtime"], one.folder
    imports = [Imports(kind, runtime, one.taker, folder, over) for kind in PATHS]
    exports = Exports(f"http://{one.host('nginx').address}", one.relay.token, over)
    faults = []
    with going_on(*imports, exports):
        for name, mend in mends(one).items():
            if name.startswith("worker"):
                answers.wait_for(one.host(name).address)
            faults.append(strike(one, browser, name, mend))
            if name == "db2":  # and comes back before the primary dies
                one.standby.revive()
                one.primary.wait_for_standby()

    one.mixpanel.over.set()
    syncing.join(120)
    books = Books(one.standby.url(one.url.rpartition("/")[2]).partition("?")[0])
    wait_until(lambda: all_told(books), 180, "the last message")
    assert one.mixpanel.sender.statuses <= {0, 200, 429, 503}
    assert books.members() == one.mixpanel.members
    books.assert_balanced()
    assert_told_once(one, books)
    assert max(fault.refused for fault in faults) < LONGEST
    wait_until(lambda: all(one.are_over() for one in imports), 60, "the last import")
    ends = {one.kind: one.assert_exact() for one in imports}
    assert ends["events"]["again"] + ends["people"]["uncertain"] > 0, "no batch was struck"
    sys.stdout.write(f"imports: {ends}; exports: {exports.ends}\n")
    assert set(exports.ends) <= {"whole", "refused", "broken"}, "an export was short, and nobody could see it"
    assert min(exports.ends["whole"], exports.ends["broken"]) > 0


def all_told(books: Books) -> bool:
    (row,) = books.rows(
        """SELECT (SELECT count(*) FROM message WHERE state IN ('waiting', 'sending')) AS waiting,
            (SELECT sum(c.change_count - s.position) FROM subscription s
                JOIN cohort c ON c.id = s.cohort_id) AS behind"""
    )
    return (row["waiting"], row["behind"]) == (0, 0)


def assert_told_once(one: Company, books: Books) -> None:
    """Each change has one message, whose name is the same however often it came."""
    by_name = dict(one.receiver.heard)
    assert set(one.receiver.heard) == set(by_name.items()), "one name, two meanings"
    rows = books.rows(
        """SELECT x.entered, p.distinct_id, x.entry_number FROM membership_change x
        JOIN person p ON p.id = x.person_id JOIN subscription s ON s.cohort_id = x.cohort_id"""
    )
    happened = [("entered" if row["entered"] else "left", row["distinct_id"], row["entry_number"]) for row in rows]
    assert sorted(by_name.values()) == sorted(happened)
    again = len(one.receiver.heard) - len(by_name)
    sys.stdout.write(f"{len(happened):,} changes, {again} of them heard again under their name\n")
