"""Long answers by the API: how far they are, cancelled, had without waiting, and asked for once under a name."""

import json
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread
from typing import Any

import pytest

from blueprints.api import streaming
from outbound.downloads.errors import Cancelled
from tests.failing.server import wait_until
from tests.mixpanel import Answer, Mixpanel
from tests.outbound.test_api import sender
from tests.outbound.test_downloads import EXPORT, lines
from tests.relay import Relay

GIVEN = {"params": {"from_date": "2026-01-01", "to_date": "2026-01-01"}}
ADDRESS = "/api/v1/projects/prod/operations/raw-event-export/answer"


@pytest.fixture
def headers(relay: Relay) -> dict[str, str]:
    return sender(relay)


def ask(relay: Relay, headers: dict[str, str], given: Any = GIVEN, **more: str) -> Any:
    named = headers | {name.replace("_", "-"): value for name, value in more.items()}
    return relay.app.test_client().post(ADDRESS, data=json.dumps(given), headers=named)


def delivery(relay: Relay, number: int) -> Any:
    return relay.api(f"/deliveries/{number}").json


def test_whoever_does_not_wait_has_the_whole_answer_afterwards(
    relay: Relay, headers: dict[str, str], mixpanel: Mixpanel
) -> None:
    mixpanel.script(EXPORT, Answer(body=lines(3)))
    reply = ask(relay, headers, Prefer="respond-async")
    assert (reply.status_code, reply.headers["Location"]) == (202, reply.json["at"])
    number = reply.json["delivery"]
    wait_until(lambda: delivery(relay, number)["verdict"] == "accepted", 20, "the verdict")
    assert delivery(relay, number)["long_answer"] == {
        "size": len(lines(3)), "records": 3, "state": "whole", "is_cancelled": False, "is_at_hand": True,
    }  # fmt: skip
    assert relay.api(f"/deliveries/{number}/answer").data == lines(3)


def test_the_same_name_again_is_one_call_and_has_what_was_kept(
    relay: Relay, headers: dict[str, str], mixpanel: Mixpanel
) -> None:
    mixpanel.script(EXPORT, Answer(body=lines(3)))
    number = ask(relay, headers, Prefer="respond-async", Idempotency_Key="a").json["delivery"]
    wait_until(lambda: delivery(relay, number)["verdict"] == "accepted", 20, "the verdict")
    again = ask(relay, headers, Idempotency_Key="a")
    assert (again.status_code, again.data, again.headers["X-Delivery"]) == (200, lines(3), str(number))
    other = ask(relay, headers, {"params": {"from_date": "2026-01-02", "to_date": "2026-01-02"}}, Idempotency_Key="a")
    assert (other.status_code, len(mixpanel.to(EXPORT))) == (422, 1)


def test_the_same_name_again_of_what_was_handed_on_is_410_and_no_call(
    relay: Relay, headers: dict[str, str], mixpanel: Mixpanel
) -> None:
    mixpanel.script(EXPORT, Answer(body=lines(3)))
    assert ask(relay, headers, Idempotency_Key="a").data == lines(3)
    assert ask(relay, headers, Idempotency_Key="a").status_code == 410
    assert len(mixpanel.to(EXPORT)) == 1


def test_a_long_answer_says_how_far_it_is_and_is_cancelled(
    relay: Relay, headers: dict[str, str], mixpanel: Mixpanel
) -> None:
    cancelled = Event()

    def pieces() -> Iterator[bytes]:
        while not cancelled.is_set():
            yield lines(500)
            cancelled.wait(0.02)

    mixpanel.script(EXPORT, Answer(pieces=pieces))
    try:
        number = ask(relay, headers, Prefer="respond-async", Idempotency_Key="a").json["delivery"]
        wait_until(lambda: (delivery(relay, number)["long_answer"] or {}).get("size", 0) > 0, 30, "how far it is")
        under_way = delivery(relay, number)["long_answer"]
        assert (under_way["state"], under_way["is_cancelled"], under_way["is_at_hand"]) == (None, False, False)
        assert ask(relay, headers, Idempotency_Key="a").status_code == 202
        stop = f"/api/v1/deliveries/{number}/cancel"
        assert relay.client.post(stop, headers={"Authorization": f"Bearer {relay.token}"}).status_code == 403
        assert relay.client.post(stop, headers=headers).json["delivery"] == number
        wait_until(lambda: delivery(relay, number)["verdict"] is not None, 30, "the end")
    finally:
        cancelled.set()
    found = delivery(relay, number)["long_answer"]
    assert (found["state"], found["is_cancelled"], found["is_at_hand"]) == ("cancelled", True, True)
    assert relay.client.post(stop, headers=headers).status_code == 409
    assert relay.client.post("/api/v1/deliveries/999999/cancel", headers=headers).status_code == 404


def test_the_places_of_long_answers_come_back(relay: Relay, headers: dict[str, str], mixpanel: Mixpanel) -> None:
    mixpanel.script(EXPORT, Answer(body=lines(3)))
    for count in range(2 * relay.app.extensions["runtime"].settings.threads + 1):
        relay.clock.forward(61_000)  # of the hour's exports; three may be made a second
        assert ask(relay, headers, Idempotency_Key=str(count)).data == lines(3)


def test_so_many_pieces_wait_for_a_reader_and_no_more() -> None:
    """Whoever reads slowly makes us read Mixpanel slowly, instead of making us hold all of it."""
    line, taken = streaming.Line(), []

    def fill() -> None:
        with suppress(Cancelled):
            while True:
                line.put(b"x")
                taken.append(None)

    filling = Thread(target=fill, daemon=True)
    filling.start()
    wait_until(lambda: len(taken) == streaming.AHEAD == 16, 20, "sixteen pieces")
    assert line.take() == b"x"
    wait_until(lambda: len(taken) == streaming.AHEAD + 1, 20, "one more for one that was taken")
    line.left.set()
    filling.join(20)
    assert len(taken) == streaming.AHEAD + 1
