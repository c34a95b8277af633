"""The simulator's sender does with each answer what Mixpanel documents (mixpanel-facts.md section 1.4)."""

import time
from collections import deque
from collections.abc import Iterator
from random import Random
from threading import Event, Timer
from typing import Any

import pytest
from flask import Flask, request
from flask.typing import ResponseReturnValue

from simulator.access import password_of
from simulator.exports import Cohort, Export
from simulator.loopback import served
from simulator.people import Population
from simulator.sender import FIRST_WAIT, RETRIES, GaveUp, Paused, Sender, Troubles
from tests.failing.server import Server, free_port


class Receiver:
    """A receiver that gives the answers it was told to give, then only successes, and remembers each call."""

    def __init__(self) -> None:
        self.statuses: deque[int] = deque()
        self.calls: list[dict[str, Any]] = []
        self.url = ""
        self.app = Flask(__name__)
        self.app.post("/webhooks/mixpanel/crm")(self.answer)

    def answer(self) -> ResponseReturnValue:
        call = request.get_json()
        self.calls.append(call)
        status = self.statuses.popleft() if self.statuses else 200
        if status == 200:
            return {"action": call["action"], "status": "success"}
        error = {"message": f"says {status}", "code": status}
        return {"action": call["action"], "status": "failure", "error": error}, status

    def pages(self) -> list[tuple[str, int]]:
        """Session id and page number of every call."""
        found = [call["parameters"] for call in self.calls]
        return [(one["mixpanel_session_id"], one["page_info"]["page_count"]) for one in found]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    with served(one.app) as one.url:
        yield one


def sender(url: str, time_scale: float = 0.0001, stop: Event | None = None, **troubles: Any) -> Sender:
    return Sender(url, "crm", "secret", Random("tests"), Troubles(**troubles), time_scale=time_scale, stop=stop)


def export(people: int = 1) -> Export:
    cohort = Cohort("1", "7", "Paying users", "", Population("tests", people))
    return Export(cohort, "add_members", "s1", tuple(range(people)))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_transient_answer_is_retried_until_it_succeeds(receiver: Receiver, status: int) -> None:
    receiver.statuses.extend([status, status])
    one = sender(receiver.url)
    one.deliver(export(), 10)
    assert receiver.pages() == [("s1", 1)] * 3
    assert one.tally.retries == 2


def test_after_five_retries_it_gives_up_until_the_next_cycle(receiver: Receiver) -> None:
    receiver.statuses.extend([503] * 100)
    with pytest.raises(GaveUp, match="503: says 503"):
        sender(receiver.url).deliver(export(30), 10)
    assert receiver.pages() == [("s1", 1)] * 6


def test_the_retries_are_spread_over_a_minute_each_wait_twice_the_last(receiver: Receiver) -> None:
    assert sum(FIRST_WAIT * 2**retry for retry in range(RETRIES)) == pytest.approx(60)
    receiver.statuses.extend([503] * 100)
    one = sender(receiver.url, time_scale=0.01)
    started = time.monotonic()
    with pytest.raises(GaveUp):
        one.deliver(export(), 10)
    assert 0.6 <= time.monotonic() - started < 5


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_an_answer_that_a_person_must_mend_pauses_at_once_with_its_message(receiver: Receiver, status: int) -> None:
    receiver.statuses.append(status)
    with pytest.raises(Paused, match=f"{status}: says {status}"):
        sender(receiver.url).deliver(export(), 10)
    assert len(receiver.calls) == 1


def test_no_server_is_a_transient_trouble() -> None:
    with pytest.raises(GaveUp, match="no answer"):
        sender(f"http://127.0.0.1:{free_port()}").deliver(export(), 10)


def test_a_success_for_another_action_is_no_success(receiver: Receiver) -> None:
    receiver.statuses.append(201)
    with pytest.raises(Paused, match="not the success envelope"):
        sender(receiver.url).deliver(export(), 10)


def test_a_lost_answer_brings_the_same_page_again(receiver: Receiver) -> None:
    one = sender(receiver.url, lose=0.5)
    one.deliver(export(30), 10)
    assert set(receiver.pages()) == {("s1", 1), ("s1", 2), ("s1", 3)}
    assert one.tally.lost_answers == len(receiver.calls) - 3 > 0


def test_pages_come_in_order_unless_told_otherwise(receiver: Receiver) -> None:
    sender(receiver.url).deliver(export(100), 10)
    sender(receiver.url, out_of_order=True).deliver(export(100), 10)
    numbers = [number for _, number in receiver.pages()]
    assert numbers[:10] == sorted(numbers[10:]) == list(range(1, 11))
    assert numbers[10:] != numbers[:10]


def test_duplicates_arrive_after_the_others(receiver: Receiver) -> None:
    sender(receiver.url, duplicate=1).deliver(export(20), 10)
    assert [number for _, number in receiver.pages()] == [1, 2, 1, 2]


def test_restarts_begin_at_the_top_with_the_same_and_with_a_new_session_id(receiver: Receiver) -> None:
    one = sender(receiver.url, restart=1)
    ids = [one.deliver(export(20), 10).session_id for _ in range(20)]
    assert 0 < ids.count("s1") < 20
    assert one.tally.restarts == 20
    assert all(receiver.pages().count((session, 1)) >= 1 for session in ids)


def test_all_pages_share_one_kept_connection(server: Server, beside: Flask) -> None:
    one = Sender(server.url, "kept", password_of(beside.extensions["runtime"], "kept"), Random("tests"))
    one.deliver(export(50), 10)
    pools = one._http.adapters["http://"].poolmanager.pools
    (pool,) = (pools[key] for key in pools.keys())  # noqa: SIM118 - it is no dict
    assert (pool.num_requests, pool.num_connections) == (5, 1)


def test_a_stop_ends_the_wait_between_retries(receiver: Receiver) -> None:
    receiver.statuses.extend([503] * 100)
    stop = Event()
    one = sender(receiver.url, time_scale=1, stop=stop)
    Timer(0.2, stop.set).start()
    with pytest.raises(GaveUp):
        one.deliver(export(), 10)
    assert len(receiver.calls) < 3
