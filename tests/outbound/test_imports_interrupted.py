"""An import whose database is away for a moment waits for the next worker, as one whose worker was killed does."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.database import DatabaseUnavailable
from runtime import Runtime
from tests.mixpanel import Mixpanel
from tests.outbound.test_imports import begin, counts, event, failed, numbers, work


def lose_an_answer(runtime: Runtime, mixpanel: Mixpanel, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes of the first batch cannot be written down."""
    write, lost = runtime.database.write, threading.Event()

    def writes(step: Callable[..., Any]) -> Any:
        thread = threading.current_thread().name
        if mixpanel.calls and thread.startswith("ThreadPoolExecutor") and not lost.is_set():
            lost.set()
            raise DatabaseUnavailable("OperationalError")
        return write(step)

    monkeypatch.setattr(runtime.database, "write", writes)


def test_it_goes_on_by_itself_and_every_record_counts_once(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = begin(runtime, tmp_path / "f", [event(n) for n in range(4500)])
    lose_an_answer(runtime, mixpanel, monkeypatch)
    job = work(runtime, import_id)
    assert (job.state, job.message) == ("waiting", None)
    assert counts(work(runtime, import_id)) == ("done", 4500, 4500, 0, 0)
    assert set(numbers(mixpanel)) == set(range(4500))
    names = {one["properties"]["$insert_id"] for call in mixpanel.calls for one in call.records}
    assert len(names) == 4500


def test_what_would_count_twice_is_said_to_be_uncertain(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [{"$distinct_id": f"u{n}", "$add": {"visits": 1}} for n in range(10)]
    import_id = begin(runtime, tmp_path / "f", records, "people")
    lose_an_answer(runtime, mixpanel, monkeypatch)
    assert work(runtime, import_id).state == "waiting"
    assert counts(work(runtime, import_id)) == ("done", 10, 0, 0, 10)
    assert failed(runtime, import_id) == [(place, "uncertain") for place in range(1, 11)]
    assert len(mixpanel.calls) == 1
