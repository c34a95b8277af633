"""Bar: any number of workers, each piece of work is done once, and what a dead one leaves is taken over."""

import signal

import pytest

from tests.conftest import MakeRelay
from tests.failing.books import Books
from tests.failing.server import wait_until
from tests.failing.worker import MakeWorker, Worker, relay_at_the_present
from tests.relay import Relay

pytestmark = pytest.mark.slow
WITHIN = 90  # seconds, on a machine that does something else as well
COHORTS = [str(number) for number in range(100, 120)]
PEOPLE = [f"p{number:04}" for number in range(500)]
STAYERS = PEOPLE[:100]


def test_s8_two_workers_end_every_settled_export_once(
    make_relay: MakeRelay, database_url: str, make_worker: MakeWorker
) -> None:
    relay, books = relay_at_the_present(make_relay, settle_seconds=1), Books(database_url)
    for cohort in COHORTS:
        relay.refresh(["A", "B", "C"], session="first", cohort=cohort)
        relay.refresh(["A", "D"], session="second", cohort=cohort, page=None)
    make_worker()
    make_worker()
    wait_until(lambda: all(books.sessions(cohort)[-1]["status"] == "complete" for cohort in COHORTS), WITHIN, "the end")
    for cohort in COHORTS:
        assert books.members(cohort) == {"A", "D"}
        assert (books.sessions(cohort)[-1]["entered"], books.sessions(cohort)[-1]["left_count"]) == (1, 2)
        books.assert_balanced(cohort)


@pytest.fixture
def relay(make_relay: MakeRelay) -> Relay:
    """A cohort whose refresh waits for a worker to sweep it: all but the stayers are to leave."""
    one = relay_at_the_present(make_relay, sweep_inline_members=0, removal_guard_percent=0)
    one.refresh(PEOPLE, session="first")
    one.work()
    one.refresh(STAYERS, session="second")
    assert one.session()["status"] == "sweeping"
    return one


@pytest.fixture
def slow(relay: Relay, make_worker: MakeWorker, books: Books) -> Worker:
    """A worker in the middle of this sweep: one person a step."""
    worker = make_worker(sweep_step_members=1, removal_guard_percent=0)
    wait_until(lambda: is_half_way(books), WITHIN, "the sweep's middle")
    return worker


@pytest.fixture
def books(database_url: str) -> Books:
    return Books(database_url)


def is_half_way(books: Books) -> bool:
    return len(STAYERS) < len(books.members()) < len(PEOPLE)


def assert_swept(books: Books) -> None:
    """Everybody who was to leave has left, and has left once."""
    assert books.members() == set(STAYERS)
    books.assert_balanced()
    session = books.sessions()[-1]
    assert (session["status"], session["received"], session["left_count"]) == (
        "complete",
        len(STAYERS),
        len(PEOPLE) - len(STAYERS),
    )


def is_swept(books: Books) -> bool:
    return bool(books.sessions()[-1]["status"] == "complete")


def test_s5_s10_a_worker_that_is_killed_in_the_middle_of_a_sweep_is_replaced_by_another(
    relay: Relay, slow: Worker, make_worker: MakeWorker, books: Books
) -> None:
    slow.kill()
    assert is_half_way(books)
    books.assert_balanced()
    viewer = relay.sign_in("viewer")
    assert "all pages are here; removing those who left" in viewer.page("/")

    another = make_worker(removal_guard_percent=0)
    wait_until(lambda: is_swept(books), WITHIN, "the takeover")
    assert_swept(books)
    assert "The one cohort is in step." in viewer.page("/")
    assert another.is_alive


def test_s5_s10_a_worker_that_sleeps_past_its_claim_and_wakes_does_no_harm(
    relay: Relay, slow: Worker, make_worker: MakeWorker, books: Books
) -> None:
    slow.freeze_between_two_steps()
    assert is_half_way(books)
    another = make_worker(removal_guard_percent=0)
    wait_until(lambda: is_swept(books), WITHIN, "the takeover")
    another.kill()
    relay.add(["back"], session="diff")

    slow.tell(signal.SIGCONT)
    relay.refresh([*STAYERS, "back"], session="third")  # which only the one that woke can sweep
    wait_until(lambda: is_swept(books), WITHIN, "the next work of the one that woke")
    assert books.members() == {*STAYERS, "back"}
    assert books.sessions()[1]["left_count"] == len(PEOPLE) - len(STAYERS)
    books.assert_balanced()
    assert slow.is_alive
