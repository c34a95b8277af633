"""One file of everybody who is in: equal to the cohort after whatever happened, and written as a whole."""

import csv
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from config.clock import HOUR, MINUTE
from destinations import claiming, destinations, guard, opening, sender
from destinations.destinations import NewDestination
from destinations.files import members, whole_set
from destinations.subscriptions import Subscription
from erasure.erase import eraser
from erasure.records import DataSubject
from tests.destinations.conftest import Relaying
from tests.relay import member


def people(*names: str) -> list[dict[str, Any]]:
    return [member(name, email=f"{name}@example.com", plan=f"plan of {name}") for name in names]


def connected(relaying: Relaying, folder: Path, **settings: Any) -> Subscription:
    folder.mkdir(exist_ok=True)
    draft = NewDestination("crm", "files", {"path": str(folder), "content": "set", **settings})
    relaying.database.write(lambda db: destinations.add(db, relaying.runtime.cipher, draft, relaying.now))
    return relaying.subscribe("crm", identity="email", fields={"plan": "plan"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sets"


def rows(folder: Path, name: str = "set.ndjson") -> list[dict[str, Any]]:
    """What the file holds; its manifest agrees."""
    data = (folder / "1/7" / name).read_bytes()
    manifest = json.loads((folder / "1/7/set.manifest.json").read_bytes())
    assert (manifest["file"], manifest["bytes"]) == (name, len(data))
    assert manifest["sha256"] == hashlib.sha256(data).hexdigest()
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode()
    found = (
        list(csv.DictReader(text.splitlines())) if ".csv" in name else [json.loads(one) for one in text.splitlines()]
    )
    assert manifest["members"] == len(found)
    return found


def identities(folder: Path) -> list[str]:
    return [row["identity"] for row in rows(folder)]


def test_the_file_is_the_set_and_is_written_anew_with_each_change(relaying: Relaying, folder: Path) -> None:
    relaying.relay.refresh(people("ada", "bob"))
    known = connected(relaying, folder)
    relaying.work()
    assert identities(folder) == ["ada@example.com", "bob@example.com"]
    relaying.relay.clock.forward(HOUR)
    relaying.relay.add(people("cid"), session="s2")
    relaying.relay.remove(["ada"], session="s3")
    relaying.work()
    assert rows(folder) == [
        {
            "project_id": "1",
            "cohort_id": "7",
            "cohort_name": "Paying users",
            "identity": f"{who}@example.com",
            "distinct_id": who,
            "entry_number": 1,
            "entered_at": at,
            "fields": {"plan": f"plan of {who}"},
        }
        for who, at in (("bob", "2025-06-15T15:06:40.000Z"), ("cid", "2025-06-15T16:06:40.000Z"))
    ]
    assert sorted(path.name for path in (folder / "1/7").iterdir()) == ["set.manifest.json", "set.ndjson"]
    assert relaying.counts(known) == {"applied": 4}


@pytest.mark.parametrize("packed", [False, True])
def test_it_may_be_csv_and_packed_and_no_cell_is_a_formula(relaying: Relaying, folder: Path, packed: bool) -> None:
    relaying.relay.refresh([member("=1+1", email="ada@example.com", plan="a,b")])
    connected(relaying, folder, format="csv", gzip=packed)
    relaying.work()
    (row,) = rows(folder, f"set.csv{'.gz' if packed else ''}")
    assert (row["distinct_id"], json.loads(row["fields"])) == ("'=1+1", {"plan": "a,b"})


def test_a_set_of_many_calls_is_whole_and_in_order(
    relaying: Relaying, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "STEP", 7)
    relaying.relay.refresh(people(*(f"p{number:02}" for number in range(40))))
    connected(relaying, folder)
    relaying.work()
    relaying.relay.remove([f"p{number:02}" for number in range(0, 10, 2)], session="s2")
    relaying.relay.add(people("zoé", "Anna"), session="s3")
    relaying.work()
    wanted = {f"p{number:02}" for number in range(40)} - {f"p{number:02}" for number in range(0, 10, 2)}
    assert identities(folder) == sorted(f"{who}@example.com" for who in {*wanted, "zoé", "anna"})


def test_whoever_leaves_before_they_were_told_of_was_never_in_the_file(relaying: Relaying, folder: Path) -> None:
    relaying.relay.refresh(people("ada", "bob"))
    connected(relaying, folder)
    relaying.work()
    relaying.relay.add(people("cid"), session="s2")
    relaying.plan()  # they are to be in, and nobody has been told
    relaying.relay.add(people("dan"), session="s3")
    relaying.relay.remove(["cid"], session="s4")
    relaying.work()
    assert identities(folder) == ["ada@example.com", "bob@example.com", "dan@example.com"]


def test_whom_the_guard_keeps_there_stays_in_the_file(relaying: Relaying, folder: Path) -> None:
    names = [f"p{number}" for number in range(20)]
    relaying.relay.refresh(people(*names))
    known = connected(relaying, folder)
    relaying.work()
    relaying.relay.remove(names[:15], session="s2")
    relaying.relay.add(people("new"), session="s3")
    relaying.work()
    assert len(identities(folder)) == 21
    relaying.database.write(lambda db: guard.approve(db, known, relaying.now))
    relaying.work()
    assert identities(folder) == sorted(f"{who}@example.com" for who in [*names[15:], "new"])


def test_whoever_was_erased_is_in_no_file(relaying: Relaying, folder: Path) -> None:
    relaying.relay.refresh(people("ada", "bob"))
    connected(relaying, folder)
    relaying.work()
    eraser(relaying.runtime).erase(DataSubject("1", "ada"), "tests")
    relaying.work(HOUR)
    assert identities(folder) == ["bob@example.com"]
    assert "ada" not in "".join(path.read_text() for path in (folder / "1/7").iterdir())


def test_a_worker_that_is_gone_after_it_has_written_leaves_nothing_out(relaying: Relaying, folder: Path) -> None:
    relaying.relay.refresh(people("ada"))
    known = connected(relaying, folder)
    relaying.plan()
    runtime, crm = relaying.runtime, relaying.of("crm")
    claimed = relaying.database.write(lambda db: claiming.claim(db, runtime, crm.id, 1))
    sender.make(opening.adapter(runtime, crm), claimed.calls[0])
    relaying.relay.add(people("bob"), session="s2")
    for _ in range(3):
        relaying.work(10 * MINUTE)
    assert identities(folder) == ["ada@example.com", "bob@example.com"]
    assert relaying.counts(known) == {"applied": 2}


def test_a_set_that_memory_should_not_hold_stops_the_destination_with_a_reason(
    relaying: Relaying, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_set, "MOST_BYTES", 300)
    relaying.relay.refresh(people("ada", "bob", "cid"))
    known = connected(relaying, folder)
    relaying.work()
    assert relaying.of("crm").status == "paused"
    assert "packed with gzip" in (relaying.of("crm").reason or "")
    assert relaying.counts(known) == {"waiting": 3}
    assert not (folder / "1").exists()
