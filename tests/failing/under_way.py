"""What is under way beside syncs while hosts die: imports, one after the other, and exports of a cohort. Each says at
its end what came of it, and whether that is exact."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import requests

from config.clock import now
from models.database import DatabaseUnavailable
from outbound import projects
from outbound.imports import failures, files, jobs
from outbound.imports.jobs import Import, NewImport
from outbound.imports.kinds import KINDS
from outbound.projects import ProjectFields
from runtime import Runtime
from tests.failing.server import wait_until
from tests.mixpanel import Answer, Call, Mixpanel, in_order
from tests.relay import Relay

RECORDS = 5000  # of an import: three batches, which are on their way at once
ANSWERED_AFTER = 1.0  # seconds
PROJECT = ProjectFields("prod", "us", "2891273", "planted-token-3f8a", "planted.91c2d4", "planted-secret", "example")
PATHS = {"events": "/api/import", "people": "/api/engage"}
PEOPLE, COHORT = 12_000, "8"  # of the exports
ABOUT = "x" * 800  # each has so much to tell that no buffer on the way holds all of them


def record_of(kind: str, number: int) -> dict[str, Any]:
    """Events count once however often they come. An increment counts each time that it comes."""
    if kind == "events":
        return {"event": "e", "properties": {"time": now() // 1000, "distinct_id": f"u{number}", "number": number}}
    return {"$distinct_id": f"u{number}", "$add": {"number": number}}


def number_in(record: dict[str, Any]) -> int:
    found = record.get("$add") or record["properties"]
    return int(found["number"])


@dataclass
class Imports:
    """Imports of one kind, one after the other; `begun` has the numbers of each one's first record and row."""

    kind: str
    runtime: Runtime
    mixpanel: Mixpanel
    folder: Path
    over: threading.Event
    begun: dict[int, int] = field(default_factory=dict)

    def go_on(self) -> None:
        """Begin one, and the next one as soon as it has ended."""
        first = 0
        while not self.over.is_set():
            import_id = self._patiently(partial(self._begin, first))
            self.begun[import_id] = first
            while self.look(import_id).is_open and not self.over.wait(0.5):
                pass
            first += RECORDS

    def look(self, import_id: int) -> Import:
        found = self._patiently(
            lambda: self.runtime.database.read(lambda db: jobs.by_id(db, import_id), one_statement=True)
        )
        assert found is not None
        return found

    def are_over(self) -> bool:
        return not any(self.look(one).is_open for one in self.begun)

    def assert_exact(self) -> Counter[str]:
        """Each record arrived, or is said to be uncertain; none came twice that would count twice, and none is refused
        or forgotten. Return how many records came to which end."""
        ends: Counter[str] = Counter()
        came = Counter(number_in(one) for call in self.mixpanel.to(PATHS[self.kind]) for one in call.records)
        for import_id, first in self.begun.items():
            job, told = self.look(import_id), {one.place: one.verdict for one in self._failed(import_id)}
            assert (job.state, job.message, job.read, job.refused) == ("done", None, RECORDS, 0)
            assert (job.accepted, set(told.values()) <= {"uncertain"}) == (RECORDS - len(told), True)
            assert job.uncertain == len(told)
            missing = {place for place in range(1, RECORDS + 1) if not came[first + place]}
            assert missing <= told.keys(), "a record was lost, and nobody is told"
            ends += Counter(accepted=job.accepted, uncertain=job.uncertain)
        if self.kind == "events":
            assert ends["uncertain"] == 0
            ends["again"] = came.total() - len(came)
            self._assert_named_once()
        else:
            assert max(came.values()) == 1, "an increment was sent twice"
        return ends

    def _assert_named_once(self) -> None:
        """What is sent again has the name that it had, by which Mixpanel knows it."""
        names: dict[int, set[str]] = {}
        for call in self.mixpanel.to(PATHS[self.kind]):
            for one in call.records:
                names.setdefault(number_in(one), set()).add(one["properties"]["$insert_id"])
        assert {len(found) for found in names.values()} == {1}

    def _failed(self, import_id: int) -> list[Any]:
        return list(failures.every(self.runtime.database, import_id))

    def _begin(self, first: int) -> int:
        path, cipher = self.folder / f"{self.kind}-{first}", self.runtime.cipher
        path.write_text("\n".join(json.dumps(record_of(self.kind, first + n)) for n in range(1, RECORDS + 1)))
        draft = NewImport(
            *(PROJECT.name, self.kind, KINDS[self.kind].operation_id, "file", path.name, "tests", str(path)),
            fingerprint=files.fingerprint(path, cipher.digest),
            settings={"options": {}},
            total=RECORDS,
            state="waiting",
        )
        return self.runtime.database.write(lambda db: jobs.add(db, draft, now()))

    def _patiently(self, work: Any) -> Any:
        """Again and again, as somebody at a page does while the database is away."""
        while True:
            try:
                return work()
            except DatabaseUnavailable:
                time.sleep(0.5)


@dataclass
class Exports:
    """Exports of a cohort as NDJSON by the API, one after the other, by a reader that takes its time. `ends` has what
    became of each: whole, refused, broken, or short, which must never be."""

    url: str
    token: str
    over: threading.Event
    ends: Counter[str] = field(default_factory=Counter)

    def go_on(self) -> None:
        while not self.over.is_set():
            self.ends[self._end_of_one()] += 1

    def _end_of_one(self) -> str:
        found: list[bytes] = []
        address = f"{self.url}/api/v1/projects/1/cohorts/{COHORT}/members.ndjson"
        try:
            with requests.get(
                address, headers={"Authorization": f"Bearer {self.token}"}, stream=True, timeout=(5, 15)
            ) as response:
                if response.status_code != 200:
                    self.over.wait(0.25)
                    return "refused"
                for piece in response.iter_content(64 * 1024):
                    found.append(piece)
                    time.sleep(0.01)
        except requests.RequestException:
            self.over.wait(0.25)
            return "broken"
        return end_of(b"".join(found))


def end_of(content: bytes) -> str:
    """What a reader makes of a reply that came to its end without an error."""
    people = set()
    for line in content.splitlines():
        try:
            people.add(json.loads(line)["distinct_id"])
        except (ValueError, KeyError):
            return "broken"
    return "whole" if people == {f"x{one:05}" for one in range(PEOPLE)} else "short"


def fill(relay: Relay) -> None:
    """The project of the imports, and the cohort of the exports."""
    cipher = relay.app.extensions["runtime"].cipher
    relay.database.write(partial(projects.add, cipher=cipher, draft=PROJECT, now=now()))
    people = [{"mixpanel_distinct_id": f"x{one:05}", "about": ABOUT} for one in range(PEOPLE)]
    assert relay.post("members", people, cohort=COHORT, session="exported").status_code == 200


@dataclass
class SlowAnswers:
    """What Mixpanel answers, after a while: a batch is under way for long enough to be struck."""

    asked: list[tuple[float, str]] = field(default_factory=list)

    def __call__(self, call: Call) -> Answer:
        self.asked.append((time.monotonic(), call.address))
        answer = in_order(call)
        return Answer(answer.status, answer.body, answer.headers, after=ANSWERED_AFTER)

    def wait_for(self, address: str) -> None:
        """Wait until whoever is there waits for an answer, and will for a while."""
        wait_until(lambda: self._is_asked_by(address), 30, f"a batch from {address}")

    def _is_asked_by(self, address: str) -> bool:
        since = time.monotonic() - ANSWERED_AFTER / 2
        return any(at > since and who == address for at, who in self.asked[-100:])


@contextmanager
def going_on(*these: Imports | Exports) -> Iterator[None]:
    """Have all of them go on meanwhile. Afterwards the last ones have been let go."""
    threads = [threading.Thread(target=one.go_on, daemon=True) for one in these]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for one in these:
            one.over.set()
        for thread in threads:
            with suppress(RuntimeError):
                thread.join(60)
