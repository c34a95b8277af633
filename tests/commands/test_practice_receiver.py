"""The demo's receiver of webhooks, over real HTTP: what it shows of what came, and how it fails when it is told to."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
import requests

from destinations.types.webhook import WEBHOOK, new_secret
from simulator.stand_in.answers import Mixpanel
from simulator.stand_in.receiver import PATH, Receiver
from simulator.stand_in.server import Server
from tests.destinations.far_end import FEED, change, opened


def serve(receiver: Receiver | None) -> Iterator[str]:
    mixpanel = Mixpanel(list, lambda _cohort, _page, _size: [])
    server = Server(("127.0.0.1", 0), mixpanel, lambda _line: None, receiver)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}{PATH}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def url() -> Iterator[str]:
    yield from serve(Receiver())


def send(url: str, *changes, batch: int = 1):
    secret = {"secret": [new_secret()]}
    with closing(WEBHOOK.open(opened({"url": url, "batch": batch}, secret))) as adapter:
        return adapter.send(FEED, changes)


def page(url: str) -> str:
    return requests.get(url, timeout=5).text


def test_it_shows_each_event_that_came_and_which_came_again(url: str) -> None:
    assert "Nothing yet." in page(url)
    send(url, change(1, "<ada>", fields={"email": "ada@example.org"}))
    send(url, change(1, "<ada>"))
    send(url, change(2, "bob"), change(3, "cy", "left"), batch=10)
    shown = page(url)
    assert "Calls that came: 3. Messages: 3, of which 1 came again." in shown
    for said in ("&lt;ada&gt;", "ada@example.org", "cohort.member.left", "dlv_3", "<code>yes</code>"):
        assert said in shown


def test_it_is_away_or_refuses_when_it_is_told_to(url: str) -> None:
    for status, outcome in (("503", "unavailable"), ("422", "rejected"), ("200", "applied")):
        requests.post(f"{url}/answer", data={"status": status}, timeout=5)
        answer = send(url, change())
        assert (answer.refusal.kind if answer.refusal else answer.verdicts[1].outcome) == outcome
    requests.post(f"{url}/answer", data={"status": "999"}, timeout=5)
    assert send(url, change()).status == 200


def test_a_check_tells_it_of_nobody(url: str) -> None:
    with closing(WEBHOOK.open(opened({"url": url}, {"secret": [new_secret()]}))) as adapter:
        assert adapter.check().ok
    assert "Nothing yet." in page(url)


def test_a_stand_in_by_itself_receives_nothing() -> None:
    for url in serve(None):
        assert requests.post(url, json={}, timeout=5).status_code == 404
