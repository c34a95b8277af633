"""Destinations whose far ends are in memory (`sets_and_streams.py` beside this): ask for the fixture `relaying`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text

from destinations import counting, destinations, registry, subscriptions
from destinations.destinations import Destination, NewDestination
from destinations.subscriptions import STATES, NewSubscription, Subscription
from runtime import Runtime
from tests.destinations import sets_and_streams
from tests.destinations.sets_and_streams import SECRET, FarEnd
from tests.outbound.conftest import runtime_of
from tests.relay import Relay

_MESSAGE = text("""
    INSERT INTO message (destination_id, subscription_id, person_id, entry_number, kind, generation, state, reason,
        identity, lane, priority, origin, session_id, at, position, attempts, created_at, finished_at)
    VALUES (:destination, :subscription, :person, :entry, 'entered', :generation, :state, :reason,
        'ada', 1, 0, 'log', 1, 1, 1, 1, 1, 2)""")


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
        draft = NewDestination(name, kind, settings, {} if kind == "hook" else {"KEY": SECRET})
        added = self.database.write(lambda db: destinations.add(db, self.runtime.cipher, draft, self.now))
        self.made = added.made
        return self.of(name)

    def of(self, name: str) -> Destination:
        found = self.database.read(lambda db: destinations.by_name(db, name))
        assert found is not None
        return found

    def subscribe(self, name: str, cohort: str = "7", **more: Any) -> Subscription:
        draft = NewSubscription(name, "1", cohort, **more)
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

    def there(self, name: str) -> FarEnd:
        return sets_and_streams.far_end(name)


@pytest.fixture
def relaying(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relaying]:
    for kind in sets_and_streams.TYPES:
        monkeypatch.setitem(registry.TYPES, kind.name, kind)
    yield Relaying(relay)
    sets_and_streams.FAR_ENDS.clear()
