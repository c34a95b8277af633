"""The demo's past: six weeks of six cohorts that grow and shrink, and what goes wrong in six weeks.

Everything arrives through the real endpoint by the simulator's sender; only the clock is moved: from one event to the
next, and by what each page, each wait before a retry and each settling would have taken.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from random import Random
from typing import Any

import requests

from config.clock import DAY, SECOND
from simulator.exports import Cohort, Page
from simulator.mixpanel import Connection
from simulator.people import Population
from simulator.plan import PROJECT
from simulator.sender import TIMEOUT, Paused, Sender

MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
PAST = 42 * DAY
PAGE_SIZE = 1000
PAGE_SECONDS = 0.8  # that a page takes Mixpanel on average
LAST_CYCLE = 4 * MINUTE  # before now
USUAL = DAY // 2  # milliseconds in which as many people move as `_move` says
PAID_PLANS = ("starter", "pro", "pro", "business")

# Mixpanel's alerts post another shape; somebody once gave them this address.
ALERT = {"event_type": "custom_alert_triggered", "alert": {"name": "Sign-ups fell"}, "condition": "less than 10"}
NO_IDS = ({"mixpanel_distinct_id": "anonymous", "plan": "trial"}, {"mixpanel_distinct_id": "", "plan": "trial"})

Event = Callable[[], object]
Entry = tuple[int, Event]


class MovableClock:
    """A clock that somebody sets; from there it goes on at the usual pace. Milliseconds since 1970."""

    def __init__(self, moment: int) -> None:
        self.move_to(moment)

    def __call__(self) -> int:
        return self._moment + int((time.monotonic() - self._moved_at) * 1000)

    def move_to(self, moment: int) -> None:
        self._moment, self._moved_at = moment, time.monotonic()

    def forward(self, seconds: float) -> None:
        self.move_to(self() + int(seconds * SECOND))


class Paced(Sender):
    """A sender whose pages and waits take as long as Mixpanel's, by the clock of the past."""

    def __init__(self, clock: MovableClock, url: str, username: str, password: str, dice: Random) -> None:
        super().__init__(url, username, password, dice, sleep=clock.forward)
        self._clock = clock

    def send(self, page: Page) -> None:
        super().send(page)
        self._clock.forward(PAGE_SECONDS * (0.5 + self.dice.random()))


class History:
    """The past that `clock` goes through, which stands at its beginning, until `now`. `passwords` are those of the
    connections `crm` and `newsletter`; `switch` turns the latter on and off; `upkeep` does what the worker would do."""

    def __init__(
        self,
        url: str,
        passwords: dict[str, str],
        clock: MovableClock,
        now: int,
        upkeep: Event,
        switch: Callable[[bool], object],
    ) -> None:
        self.now, self.upkeep, self.switch = now, upkeep, switch
        self.clock = clock
        self.last_moved = now - PAST
        self.dice = Random("demo")
        today = datetime.fromtimestamp(now / 1000, UTC).date()
        self.people = Population("demo", 100_000, newest_sign_up=date.fromordinal(today.toordinal() - 60))
        self.newcomers = count()
        self.url = url
        senders = {name: Paced(clock, url, name, password, self.dice) for name, password in passwords.items()}
        self._make_cohorts()
        crm = [self.trial, self.paying, self.risk, self.power]
        self.crm = Connection(senders["crm"], crm, lambda *_: None, PAGE_SIZE, minutes=0)
        newsletter = [self.readers, self.beta]
        self.newsletter = Connection(senders["newsletter"], newsletter, lambda *_: None, PAGE_SIZE, minutes=0)

    def _make_cohorts(self) -> None:
        self.trial = self._cohort("3201", "Trial users", "On a trial that has not ended")
        self.paying = self._cohort("3202", "Paying users", "On a paid plan")
        self.risk = self._cohort("3203", "Churn risk", "Paying, and not seen for two weeks")
        self.power = self._cohort("3204", "Power users", "Active on five days of the last seven")
        self.readers = self._cohort("3205", "Newsletter readers", "Opened a newsletter in the last month")
        self.beta = self._cohort("3206", "Early access", "Asked to see what is new first")
        self.guests = self._cohort("3207", "Webinar guests", "Came to the spring webinar; a one-time export")
        self.paying.enter(self._new_people(1180, *PAID_PLANS))
        self.trial.enter(self._new_people(390, "trial"))
        self.risk.enter(self._some(self.paying, 140))
        self.power.enter(self._some(self.paying, 230))
        self.readers.enter({*self._some(self.paying, 700), *self._new_people(1650, "free")})
        self.beta.enter(self._some(self.power, 70))
        self.guests.enter(self._new_people(2600, "free"))

    def _cohort(self, cohort_id: str, name: str, description: str) -> Cohort:
        return Cohort(PROJECT, cohort_id, name, description, self.people)

    # --- the six weeks

    def events(self) -> list[Entry]:
        """Return what is on the schedule until now, oldest first; give each to `happen`."""
        return sorted([*self._schedule(), (self.now, self.upkeep)], key=lambda entry: entry[0])

    def happen(self, entry: Entry) -> None:
        """Move the clock to this moment, let the worker do what is due by then, and let the event happen."""
        moment, event = entry
        self.clock.move_to(moment)
        self.upkeep()
        event()

    def _schedule(self) -> Iterator[Entry]:
        yield from ((self.now - before, self.cycle) for before in _cycles())
        for days, event in (
            (33.1, self._odd_members),
            (25.2, self._rename),
            (20.1, lambda: self.switch(False)),
            (15.9, lambda: self.switch(True)),
            (15.8, self._unclear_refresh),
            *((15.8 - minutes * MINUTE / DAY, self.upkeep) for minutes in range(1, 6)),  # it settles meanwhile
            (9.3, self._wrong_password),
            (5.1, self._odd_members),
            (1.3, self._misdirected_alert),
            (0.04, self._half_an_export),
            (0.025, self.upkeep),  # by now it has stalled
        ):
            yield self.now - int(days * DAY), event

    def cycle(self) -> None:
        """Let people move, and both connections sync."""
        if self.trial.snapshot is not None:
            self._move()
        for connection in (self.crm, self.newsletter):
            connection.minute = self._minute()
            connection.sync_all(connection.cohorts)

    def _minute(self) -> int:
        return (self.clock() - (self.now - PAST)) // MINUTE

    # --- how people move

    def _move(self) -> None:
        self.share, self.last_moved = min(1, (self.clock() - self.last_moved) / USUAL), self.clock()
        self._convert(self._some(self.trial, self._about(5)))
        self.trial.leave(self._some(self.trial, self._about(5)))
        self.trial.enter(self._new_people(self._about(13), "trial"))
        self._cancel([*self._some(self.risk, self._about(1)), *self._some(self.paying, self._about(1))])
        self._pass_through(self.risk, entering=4, leaving=3)
        self._pass_through(self.power, entering=4, leaving=3)
        self.readers.drift(self.dice, 0, self._about(9))
        self.readers.enter(self._new_people(self._about(14), "free"))
        self.beta.enter(self._some(self.power, self._about(1)))

    def _convert(self, numbers: list[int]) -> None:
        """Let these end their trial with a purchase."""
        for number in numbers:
            self.people.changed[number] = self.people.changed[number] | {"plan": self.dice.choice(PAID_PLANS)}
        self.trial.leave(numbers)
        self.paying.enter(numbers)

    def _cancel(self, numbers: list[int]) -> None:
        for cohort in (self.paying, self.risk, self.power):
            cohort.leave(numbers)

    def _pass_through(self, cohort: Cohort, entering: int, leaving: int) -> None:
        """Let paying users come and go; some of them come back."""
        cohort.leave(self._some(cohort, self._about(leaving)))
        cohort.enter(self._some(self.paying, self._about(entering)))

    def _some(self, cohort: Cohort, amount: int) -> list[int]:
        return self.dice.sample(sorted(cohort.members), min(amount, len(cohort.members)))

    def _new_people(self, amount: int, *plans: str) -> list[int]:
        numbers = [next(self.newcomers) for _ in range(amount)]
        for number in numbers:
            self.people.changed[number] = {"plan": self.dice.choice(plans)} | self._signed_up()
        return numbers

    def _signed_up(self) -> dict[str, Any]:
        """Return when a newcomer signed up: now, or nothing for those who are there as the six weeks begin."""
        if self._minute() == 0:
            return {}
        return {"signed_up": datetime.fromtimestamp(self.clock() / 1000, UTC).date().isoformat()}

    def _about(self, amount: int) -> int:
        """Return how many move: `amount` in the usual stretch, on average, and as large a share of them as of that has
        passed."""
        some = self.dice.randint(0, 2 * amount) * self.share
        return int(some) + (self.dice.random() < some % 1)

    # --- what else happens in six weeks

    def _odd_members(self) -> None:
        """Let the next diff bring members whom nobody can keep."""
        self.trial.odd.extend(NO_IDS)

    def _rename(self) -> None:
        self.beta.name = "Beta testers"

    def _unclear_refresh(self) -> None:
        """After four days without success Mixpanel sends everybody. It starts over halfway, with the same session id
        and other people, so that nobody can tell at once what belongs to it."""
        (export,) = self.readers.due(self._minute(), self.newsletter.sender.new_id)
        for page in export.pages(PAGE_SIZE)[:2]:
            self.newsletter.sender.send(page)
        self.readers.drift(self.dice, 20, 20)
        self.newsletter.sender.deliver(replace(export, numbers=tuple(sorted(self.readers.members))), PAGE_SIZE)
        self.readers.succeeded(self._minute())

    def _wrong_password(self) -> None:
        """Play a sync that somebody set up with a password of their own."""
        stranger = Paced(self.clock, self.url, "crm", "not the password", self.dice)
        export, _ = self.trial.due(self._minute(), stranger.new_id)
        try:
            stranger.deliver(export, PAGE_SIZE)
        except Paused:
            return

    def _misdirected_alert(self) -> None:
        sender = self.crm.sender
        requests.post(sender.address, json=ALERT, auth=sender.login, timeout=TIMEOUT)

    def _half_an_export(self) -> None:
        """Play a one-time export of three pages, of which the last never comes."""
        (export,) = self.guests.due(self._minute(), self.newsletter.sender.new_id)
        for page in export.pages(PAGE_SIZE)[:2]:
            self.newsletter.sender.send(page)


def _cycles() -> Iterator[int]:
    """Yield how long before now the cycles were: twice a day, and on the last day every half hour, as Mixpanel's
    are."""
    yield from range(PAST, DAY, -DAY // 2)
    yield from range(DAY - HOUR // 2 + LAST_CYCLE, 0, -HOUR // 2)
