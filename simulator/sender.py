"""Mixpanel's HTTP behaviour (mixpanel-facts.md section 1.4): what it does with each answer, and what goes wrong on
the way.

429 and 5xx pass by themselves: five retries within a minute with exponential backoff, then the next cycle. 400, 401,
403 and 404 pause the sync for good. What other statuses do is not documented; they pause here as well, because a
receiver must not use them.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from random import Random
from threading import Event
from typing import Any
from uuid import UUID

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential
from tenacity.nap import sleep_using_event
from tenacity.stop import stop_when_event_set

from simulator.exports import Export, Page
from simulator.wire import session

RETRIES = 5
RETRY_SECONDS = 60  # over which the retries are spread, each wait twice the one before
FIRST_WAIT = RETRY_SECONDS / (2**RETRIES - 1)
TIMEOUT = (10, 60)  # seconds to connect, and to wait for an answer; Mixpanel documents none
TOO_MANY, SERVER_ERRORS = 429, 500


class Transient(Exception):
    """An answer, or none, after which Mixpanel tries the same page again."""


class GaveUp(Exception):
    """Five retries did not help; Mixpanel sends again in its next cycle."""


class Paused(Exception):
    """Mixpanel has paused this sync for good and shows the message."""


@dataclass(frozen=True)
class Troubles:
    """What goes wrong: `lose` is the share of pages whose answer never reaches the sender, `restart` of exports that
    fail midway and start again from the top, `duplicate` of pages that arrive twice."""

    out_of_order: bool = False
    lose: float = 0
    restart: float = 0
    duplicate: float = 0


NO_TROUBLES = Troubles()


@dataclass
class Tally:
    """What a sender has done so far. `pages` and `members` count every delivery, also repeated ones."""

    pages: int = 0
    members: int = 0
    retries: int = 0
    lost_answers: int = 0
    restarts: int = 0
    duplicates: int = 0
    syncs: int = 0
    failed_syncs: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, count.name) + getattr(other, count.name) for count in fields(Tally)))


class Sender:
    """One connection's way to the receiver: pages one after another over one kept connection.

    `time_scale` shortens the waits between retries (1 is Mixpanel's own pace); `stop` ends them at once. `sleep` waits
    that many seconds; without one it is the time of this machine that passes.
    """

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        dice: Random,
        troubles: Troubles = NO_TROUBLES,
        *,
        time_scale: float = 1,
        stop: Event | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.username = username
        self.login = (username, password)
        self.address = f"{url}/webhooks/mixpanel/{username}"
        self.dice = dice
        self.troubles = troubles
        self.tally = Tally()
        self.stop = stop or Event()
        self._http = session(url)
        self._http.auth = self.login
        self._http.headers["Content-Type"] = "application/json"
        self._retrying = Retrying(
            retry=retry_if_exception_type(Transient),
            stop=stop_after_attempt(1 + RETRIES) | stop_when_event_set(self.stop),
            wait=wait_exponential(multiplier=FIRST_WAIT * time_scale, max=RETRY_SECONDS),
            sleep=sleep or sleep_using_event(self.stop),
            before_sleep=self._count_retry,
            reraise=True,
        )

    def new_id(self) -> str:
        return str(UUID(int=self.dice.getrandbits(128), version=4))

    def deliver(self, export: Export, page_size: int) -> Export:
        """Send every page of `export`; returns it as it was delivered in the end, since a restart may have given it
        another session id. Raises GaveUp and Paused."""
        stragglers: list[Page] = []
        if self._happens(self.troubles.restart):
            sent = self._ordered(export, page_size)
            self._send_all(sent[: self.dice.randint(1, len(sent))])
            self.tally.restarts += 1
            if self._happens(0.5):  # whether a restart keeps the id is not documented
                stragglers = self._doubled(sent)
                export = replace(export, session_id=self.new_id())
        pages = self._ordered(export, page_size)
        stragglers += self._doubled(pages)
        self._send_all(pages)
        self._send_all(stragglers)
        self.tally.duplicates += len(stragglers)
        return export

    def send(self, page: Page) -> None:
        """Deliver one page as Mixpanel does. Raises GaveUp after the last retry or when stopped, and Paused."""
        if self.stop.is_set():
            raise GaveUp("the run was stopped")
        body = page.body()
        try:
            self._retrying(self._post, page, body)
        except Transient as error:
            raise GaveUp(str(error)) from None

    def _send_all(self, pages: list[Page]) -> None:
        for page in pages:
            self.send(page)

    def _ordered(self, export: Export, page_size: int) -> list[Page]:
        pages = export.pages(page_size)
        if self.troubles.out_of_order:
            self.dice.shuffle(pages)
        return pages

    def _doubled(self, pages: list[Page]) -> list[Page]:
        return [page for page in pages if self._happens(self.troubles.duplicate)]

    def _happens(self, share: float) -> bool:
        return self.dice.random() < share

    def _count_retry(self, _state: RetryCallState) -> None:
        self.tally.retries += 1

    def _post(self, page: Page, body: bytes) -> None:
        try:
            response = self._http.post(self.address, data=body, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            raise Transient(f"no answer ({type(error).__name__})") from error
        judge(page.export.action, response)
        self.tally.pages += 1
        self.tally.members += len(page)
        if self._happens(self.troubles.lose):
            self.tally.lost_answers += 1
            raise Transient("the answer was lost")


def judge(action: str, response: requests.Response) -> None:
    """Judge an answer as Mixpanel does: return for a success, raise Transient or Paused otherwise."""
    answer = _envelope(response)
    said = f"{response.status_code}: {_message(answer) or 'no message'}"
    if response.status_code == TOO_MANY or response.status_code >= SERVER_ERRORS:
        raise Transient(said)
    if not response.ok or response.is_redirect:
        raise Paused(said)
    if answer != {"action": action, "status": "success"}:
        raise Paused(f"{response.status_code}, but the answer is not the success envelope of {action}")


def _envelope(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except requests.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _message(answer: dict[str, Any]) -> str | None:
    error = answer.get("error")
    return str(error.get("message")) if isinstance(error, dict) else None
