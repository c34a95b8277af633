"""Destinations whose far ends are in memory (`sets_and_streams.py` beside this): ask for the fixture `relaying`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from destinations import destinations, registry, subscriptions
from destinations.destinations import Destination, NewDestination
from destinations.subscriptions import NewSubscription, Subscription
from runtime import Runtime
from tests.destinations import sets_and_streams
from tests.destinations.sets_and_streams import SECRET, FarEnd
from tests.outbound.conftest import runtime_of
from tests.relay import Relay


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

    def there(self, name: str) -> FarEnd:
        return sets_and_streams.far_end(name)


@pytest.fixture
def relaying(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relaying]:
    for kind in sets_and_streams.TYPES:
        monkeypatch.setitem(registry.TYPES, kind.name, kind)
    yield Relaying(relay)
    sets_and_streams.FAR_ENDS.clear()
