"""An import that is paused, cancelled or loses its database while Mixpanel has a batch and has not answered yet."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.database import DatabaseUnavailable
from outbound.imports import claimed_import, jobs, runner
from outbound.imports.jobs import Import
from runtime import Runtime
from tests.api.test_exports import away
from tests.mixpanel import Answer, Call, Mixpanel, in_order
from tests.outbound.conftest import runtime_of
from tests.outbound.test_import_pages import held, lines, upload
from tests.outbound.test_imports import begin, counts, event, failed, look, numbers, work
from tests.relay import Relay

pytestmark = pytest.mark.slow

KINDS = {"events": "/api/import", "people": "/api/engage"}


def addition(number: int) -> dict[str, Any]:
    return {"$distinct_id": f"u{number}", "$add": {"logins": 1}}


class InFlight:
    """Mixpanel has a batch, and answers it once `answer` is set."""

    def __init__(self, mixpanel: Mixpanel, kind: str = "events") -> None:
        self.there, self.answer = threading.Event(), threading.Event()
        mixpanel.script(KINDS[kind], self._hold)

    def _hold(self, call: Call) -> Answer:
        self.there.set()
        assert self.answer.wait(30)
        return in_order(call)

    def during(self, runtime: Runtime, import_id: int, change: Callable[[], object]) -> Import:
        """Work on it, change something while the batch is in flight, and let Mixpanel answer once that was seen."""
        worker = threading.Thread(target=work, args=(runtime, import_id))
        worker.start()
        assert self.there.wait(30)
        change()
        seen = threading.Timer(claimed_import.HEARTBEAT * 1.5, self.answer.set)
        seen.start()
        worker.join(60)
        return look(runtime, import_id)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_in_flight_when_it_was_paused_is_counted_and_the_rest_follows_once(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path, kind: str
) -> None:
    record = event if kind == "events" else addition
    import_id = begin(runtime, tmp_path / "f", [record(n) for n in range(26_000)], kind)
    paused = InFlight(mixpanel, kind).during(
        runtime, import_id, lambda: runtime.database.write(lambda db: jobs.pause(db, import_id))
    )
    arrived = sum(len(call.records) for call in mixpanel.calls)
    assert counts(paused) == ("paused", arrived, arrived, 0, 0)
    assert 0 < arrived < 26_000
    assert paused.claimed_by is None
    assert runtime.database.write(lambda db: jobs.go(db, import_id))
    assert counts(work(runtime, import_id)) == ("done", 26_000, 26_000, 0, 0)
    assert sum(len(call.records) for call in mixpanel.calls) == 26_000


def test_what_was_in_flight_when_it_was_cancelled_is_told_and_the_upload_goes_with_it(
    relay: Relay, mixpanel: Mixpanel
) -> None:
    runtime, browser = runtime_of(relay), relay.sign_in("operator")
    place = upload(browser, lines(*map(event, range(3)))).location
    browser.post(f"{place}/start", {})
    (found,) = relay.database.read(lambda db: jobs.listed(db, 2**62, 1))
    pages: list[str] = []

    def cancel() -> None:
        pages.append(browser.get(f"{place}/cancel").text)
        browser.post(f"{place}/cancel", {})
        pages.append(browser.get(place).text)

    cancelled = InFlight(mixpanel).during(runtime, found.id, cancel)
    assert "Batches are under way" in pages[0]
    assert "Nothing has been sent" not in pages[0]
    assert "still finished and counted" in pages[1]
    assert counts(cancelled) == ("cancelled", 3, 3, 0, 0)
    assert held(relay) == []
    after = browser.get(place).text
    assert "What Mixpanel has taken stays there" in after
    assert "hx-trigger" not in after.partition("<main")[2].partition("</main>")[0]
    assert "The 3 records that Mixpanel has taken stay there" in browser.get(f"{place}/cancel").text


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_in_flight_when_the_database_went_away_is_neither_lost_nor_counted_twice(
    relay: Relay, runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path, kind: str
) -> None:
    record = event if kind == "events" else addition
    import_id, in_flight = begin(runtime, tmp_path / "f", [record(n) for n in range(5)], kind), InFlight(mixpanel, kind)
    ended: list[str] = []

    def run() -> None:
        try:
            runner.run(runtime, import_id, threading.Event())
        except DatabaseUnavailable:
            ended.append("unavailable")

    worker = threading.Thread(target=run)
    worker.start()
    assert in_flight.there.wait(30)
    with away(relay):
        in_flight.answer.set()
        worker.join(60)
    assert ended == ["unavailable"]
    back(relay)
    mixpanel.forget()
    relay.clock.forward(jobs.LEASE + 1)
    job = work(runtime, import_id)
    if kind == "events":  # sent again under the same `$insert_id`
        assert counts(job) == ("done", 5, 5, 0, 0)
        assert numbers(mixpanel) == sorted([*range(5), *range(5)])
        assert len({json.dumps(one) for call in mixpanel.calls for one in call.records}) == 5
    else:
        assert counts(job) == ("done", 5, 0, 0, 5)
        assert len(mixpanel.calls) == 1
        assert [verdict for _, verdict in failed(runtime, import_id)] == ["uncertain"] * 5


def back(relay: Relay) -> None:
    """SQLite's file stands where it stood."""
    if relay.database.dialect == "sqlite":
        file = Path(str(relay.app.extensions["runtime"].settings.instance)) / "cohort-relay.db"
        for path in file.iterdir():
            path.unlink()
        file.rmdir()
        Path(f"{file}.away").rename(file)
