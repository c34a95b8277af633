"""Mixpanel's side: posts pages one after another, tries again as Mixpanel does, and starts from the top in the next
cycle when it gives up."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any

import requests

from tests.failing.server import Server
from tests.relay import body

BACKOFF = (4, 8, 16, 32)  # seconds between the five tries, 60 together
TRANSIENT = {429, *range(500, 600)}

Body = dict[str, Any]
Pause = Callable[[float], None]


class GaveUp(Exception):
    """Five tries failed: Mixpanel waits for the next cycle and then sends everything from the top."""


class Paused(Exception):
    """A status at which Mixpanel pauses the customer's sync until a person acts."""


@dataclass(frozen=True)
class Reply:
    """What came back, and after how many seconds. Status 0 is a connection that was refused or cut."""

    status: int
    seconds: float
    json: Any = None
    retry_after: str | None = None


@dataclass
class Sender:
    """One connection. `pause` is called between tries with the seconds that Mixpanel would wait, `next_cycle` before
    it starts again from the top; a test waits there for what it knows must come, so that it takes no longer."""

    url: str
    username: str
    password: str
    pause: Pause = lambda _seconds: None
    next_cycle: Callable[[], None] = lambda: None
    replies: list[Reply] = field(default_factory=list)
    http: requests.Session = field(default_factory=requests.Session)

    def post(self, page: Body) -> Reply:
        """One try."""
        began = monotonic()
        where, auth = f"{self.url}/webhooks/mixpanel/{self.username}", (self.username, self.password)
        try:
            answer = self.http.post(where, data=json.dumps(page), auth=auth, timeout=60)
            seconds, wait = monotonic() - began, answer.headers.get("Retry-After")
            self.replies.append(Reply(answer.status_code, seconds, answer.json(), wait))
        except requests.RequestException:
            self.replies.append(Reply(0, monotonic() - began))
        return self.replies[-1]

    def deliver(self, page: Body) -> None:
        """One page with up to five tries; raises GaveUp or Paused."""
        for seconds in (*BACKOFF, None):
            reply = self.post(page)
            if reply.status == 200:
                assert reply.json == {"action": page["action"], "status": "success"}
                return
            if reply.status and reply.status not in TRANSIENT:
                raise Paused(reply)
            if seconds is not None:
                self.pause(seconds)
        raise GaveUp

    def sync(self, export_of: Callable[[int], Iterable[Body]]) -> int:
        """Send `export_of(cycle)`, cycle after cycle from 1, until one went through; returns which one did."""
        for cycle in count(1):
            try:
                for page in export_of(cycle):
                    self.deliver(page)
            except GaveUp:
                self.next_cycle()
            else:
                return cycle
        raise AssertionError("unreachable")

    @property
    def statuses(self) -> set[int]:
        return {reply.status for reply in self.replies}


def sender_of(server: Server, name: str) -> Sender:
    """The sender of connection `name`, which waits for nothing between its tries."""
    return Sender(server.url, name, server.passwords[name])


def export(action: str, members: Sequence[Any], size: int, **names: Any) -> Iterator[Body]:
    """The pages of one export, `size` members a page; an empty export has one empty page."""
    starts = range(0, len(members) or 1, size)
    for number, start in enumerate(starts, 1):
        yield body(action, members[start : start + size], number, len(starts), **names)
