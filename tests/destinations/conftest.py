"""Destinations whose far ends are in memory (`sets_and_streams.py` beside this): ask for the fixture `relaying`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text

from destinations import (
    backfill,
    counting,
    destinations,
    finishing,
    planner,
    profiles,
    registry,
    sender,
    subscriptions,
    worker,
)
from destinations.destinations import Destination, NewDestination
from destinations.subscriptions import STATES, NewSubscription, Subscription
from models.database import Database
from runtime import Runtime
from tests.destinations import sets_and_streams, unkept
from tests.destinations.sets_and_streams import SECRET, FarEnd
from tests.outbound.conftest import runtime_of
from tests.relay import Relay

_MESSAGE = text("""
    INSERT INTO message (destination_id, subscription_id, person_id, entry_number, kind, generation, state, reason,
        identity, lane, priority, origin, session_id, at, position, attempts, created_at, finished_at)
    VALUES (:destination, :subscription, :person, :entry, 'entered', :generation, :state, :reason,
        'ada', 1, 0, 'log', 1, 1, 1, 1, 1, 2)""")

_UNDER_WAY = text("SELECT DISTINCT destination_id FROM attempt WHERE ended_at IS NULL ORDER BY destination_id")


@dataclass
class Relaying:
    """A relay, and an operator's words for its destinations."""

    relay: Relay
    made: dict[str, str] = field(default_factory=dict)

    @property
    def runtime(self) -> Runtime:
        return runtime_of(self.relay)

    @property
    def database(self) -> Any:
        return self.relay.database

    @property
    def now(self) -> int:
        return self.relay.clock()

    def destination(self, name: str, kind: str = "hook", **settings: Any) -> Destination:
        key = settings.pop("KEY", SECRET)
        draft = NewDestination(name, kind, settings, {} if kind == "hook" else {"KEY": key})
        added = self.database.write(lambda db: destinations.add(db, self.runtime.cipher, draft, self.now))
        self.made = added.made
        return self.of(name)

    def of(self, name: str) -> Destination:
        found = self.database.read(lambda db: destinations.by_name(db, name))
        assert found is not None
        return found

    def subscribe(self, name: str, cohort: str = "7", project: str = "1", **more: Any) -> Subscription:
        draft = NewSubscription(name, project, cohort, **more)
        return self.subscription(self.database.write(lambda db: subscriptions.add(db, draft, self.now)))

    def subscription(self, known: int | Subscription) -> Subscription:
        number = known if isinstance(known, int) else known.id
        found = self.database.read(lambda db: subscriptions.by_id(db, number))
        assert found is not None
        return found

    def messages(self, number: int, **states: tuple[int, str | None]) -> None:
        """Give a subscription messages of Ada's: so many in each state, for this reason."""
        known, ada = self.subscription(number), self.relay.person("ada")["id"]
        for state, (many, reason) in states.items():
            key = {"destination": known.destination_id, "subscription": number, "person": ada}
            rows = [
                key | {"entry": 1 + place, "generation": STATES.index(state), "state": state, "reason": reason}
                for place in range(many)
            ]
            self.database.write(lambda db, rows=rows: db.execute(_MESSAGE, rows))
            self.database.write(lambda db, state=state, many=many: counting.move(db, number, {state: many}))

    def plan(self) -> None:
        """Everything that is due is planned."""
        database, runtime = self.database, self.runtime
        for find, plan in (
            (planner.behind, planner.plan),
            (lambda db: profiles.due(db, self.now), profiles.look),
            (backfill.under_way, backfill.plan),
        ):
            while due := database.read(find):
                for number in due:
                    plan(runtime, number)

    def send(self) -> None:
        """Everything that is due is sent, one call after another."""
        self.recover()
        while sum(sender.send_once(self.runtime, number) for number in self.due()):
            pass

    def recover(self) -> None:
        """What workers that are gone had under way is taken over."""
        for number in self.database.read(lambda db: list(db.execute(_UNDER_WAY).scalars())):
            self.database.write(lambda db, number=number: finishing.recover(db, self.runtime, number))

    def due(self) -> list[int]:
        """The destinations that have something to send."""
        return self.database.read(lambda db: worker.due(db, self.now))

    def unkept(self, play: Callable[[], None]) -> None:
        """Play something that leaves nothing behind, here or at the far ends; then it is as late as it was."""
        kept, started = self.database, self.now

        def on(database: Database) -> None:
            self.runtime.database = database
            try:
                play()
            finally:
                self.runtime.database = kept
                sets_and_streams.FAR_ENDS.clear()
                self.relay.clock.time = started

        unkept.played(kept, on)

    def work(self, forward: int = 0) -> None:
        """Time passes, then what is due is planned and sent."""
        self.relay.clock.forward(forward)
        self.plan()
        self.send()

    def counts(self, known: Subscription) -> dict[str, int]:
        """The counts that are not 0; they are what the rows say."""
        found = {state: number for state, number in self.subscription(known).counts.items() if number}
        rows = self.relay.rows(
            "SELECT state, count(*) AS n FROM message WHERE subscription_id = :id GROUP BY state", id=known.id
        )
        assert {row["state"]: row["n"] for row in rows} == found
        return found

    def there(self, name: str) -> FarEnd:
        return sets_and_streams.far_end(name)


@pytest.fixture
def relaying(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relaying]:
    for kind in sets_and_streams.TYPES:
        monkeypatch.setitem(registry.TYPES, kind.name, kind)
    yield Relaying(relay)
    sets_and_streams.FAR_ENDS.clear()
