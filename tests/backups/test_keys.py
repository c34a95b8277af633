"""BACKUP_KEY changes, and what an earlier one has sealed still opens, says its key, and goes in its time."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups import making, places
from backups.keys import Key
from backups.sealing import HEAD, Sealer, is_sealed, key_of, open_sealed
from backups.trouble import NoBackup
from config.settings import WrongSetting
from tests.backups.conftest import Place, settings_of
from tests.commands.conftest import terminal_of
from tests.conftest import settings_for
from tests.relay import MINUTE, Relay

NEW, OLD, OLDEST = (f"tests-{letter}4fV9sKq2Zr7LmXw1Yc8NbHd6TgJp3AeUo5RiQxWzBvM0" for letter in "abc")
HOUR = 60 * MINUTE
MakeBackedUp = Callable[..., Relay]

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)
keys = st.lists(texts, min_size=1, max_size=6, unique=True).map(
    lambda found: [Key(f"key {at}", text) for at, text in enumerate(found)]
)
contents = st.builds(lambda start, rest: start + rest, st.sampled_from([b"SQLite format 3\0", b"PGDMP"]), st.binary())
SHARED = hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], max_examples=60
)


def sealed(folder: Path, content: bytes, key: str) -> Path:
    file = folder / "sealed"
    with file.open("wb") as target:
        sealer = Sealer(target, key)
        sealer.write(content)
        sealer.end()
    return file


@SHARED
@given(keys, contents, st.data())
def test_it_opens_with_its_own_key_wherever_that_stands_and_says_which(
    tmp_path: Path, keys: list[Key], content: bytes, data: st.DataObject
) -> None:
    own = data.draw(st.sampled_from(keys))
    file, target = sealed(tmp_path, content, own.text), tmp_path / "opened"
    assert is_sealed(file)
    assert key_of(file.read_bytes()[:HEAD], keys) == own
    assert open_sealed(file, keys, target) == own
    assert target.read_bytes() == content
    target.unlink()


@SHARED
@given(keys, contents)
def test_without_its_key_it_opens_with_none_and_nothing_is_left(
    tmp_path: Path, keys: list[Key], content: bytes
) -> None:
    own, *others = keys
    file, target = sealed(tmp_path, content, own.text), tmp_path / "opened"
    assert key_of(file.read_bytes()[:HEAD], others) is None
    with pytest.raises(NoBackup):
        open_sealed(file, others, target)
    assert not target.exists()


@SHARED
@given(keys, contents, st.data())
def test_one_bit_that_differs_is_never_taken_for_whole(
    tmp_path: Path, keys: list[Key], content: bytes, data: st.DataObject
) -> None:
    file, target = sealed(tmp_path, content, data.draw(st.sampled_from(keys)).text), tmp_path / "opened"
    damaged = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, 8 * len(damaged) - 1))
    damaged[at // 8] ^= 1 << (at % 8)
    file.write_bytes(damaged)
    if is_sealed(file):
        with pytest.raises(NoBackup):
            open_sealed(file, keys, target)
        assert not target.exists()


@SHARED
@given(keys, st.binary(max_size=200))
def test_whatever_is_no_backup_has_no_key(tmp_path: Path, keys: list[Key], content: bytes) -> None:
    file, target = tmp_path / "sealed", tmp_path / "opened"
    file.write_bytes(content)
    assert key_of(content[:HEAD], keys) is None
    with pytest.raises(NoBackup):
        open_sealed(file, keys, target)
    assert not target.exists()


def change_keys(relay: Relay, key: str, *old: str) -> None:
    """As a restart with other settings does."""
    settings = settings_of(relay)
    settings.backup_key, settings.backup_key_old = key, old


def back_up(relay: Relay) -> str:
    relay.clock.forward(24 * HOUR)
    made = making.run_due(relay.app.extensions["runtime"])
    assert made is not None
    return made.name


def listed(relay: Relay) -> list[tuple[bool, str | None]]:
    """Whether each is encrypted, and what opens it, the oldest first."""
    found = json.loads(terminal_of(relay.app)("backup", "--list", "--json").output)["backups"]
    return [(one["encrypted"], one["key"]) for one in reversed(found)]


def doctors(relay: Relay) -> dict[str, Any]:
    report = json.loads(terminal_of(relay.app)("doctor", "--json").output)
    return next(one for one in report["checks"] if one["name"] == "backups")


def test_backups_of_earlier_keys_are_restored_and_each_says_what_opens_it(
    backed_up: MakeBackedUp, place: Place
) -> None:
    relay = backed_up()
    kept = []
    for person, keys in (("ada", ("",)), ("bob", (OLDEST,)), ("cyd", (OLD, OLDEST)), ("dan", (NEW, OLD, OLDEST))):
        relay.refresh({person}, session=person)
        change_keys(relay, *keys)
        kept.append((back_up(relay), person))
    names = [None, "BACKUP_KEY_OLD (2 of 2)", "BACKUP_KEY_OLD (1 of 2)", "BACKUP_KEY"]
    assert listed(relay) == [(False, None), *((True, name) for name in names[1:])]
    assert "opens with BACKUP_KEY_OLD (2 of 2)" in terminal_of(relay.app)("backup", "--list").output
    assert doctors(relay)["state"] == "ok"
    assert "2 of them open with BACKUP_KEY_OLD" in doctors(relay)["found"]

    for (name, person), key in zip(kept, names, strict=True):
        report = json.loads(terminal_of(relay.app)("restore", f"{place.address}/{name}", "--yes", "--json").output)
        assert (report["key"], relay.members()) == (key, {person})
    said = terminal_of(relay.app)("restore", f"{place.address}/{kept[1][0]}", "--yes").output
    assert "It was opened with BACKUP_KEY_OLD (2 of 2)." in said


def test_those_of_earlier_keys_go_in_their_time_and_none_before(backed_up: MakeBackedUp, place: Place) -> None:
    relay = backed_up(backup_key=OLD, backup_keep=2)
    back_up(relay)
    second = back_up(relay)
    change_keys(relay, NEW, OLD)
    third = back_up(relay)
    assert place.backups == [second, third]
    change_keys(relay, NEW)
    assert place.backups == [second, third]
    fourth = back_up(relay)
    assert place.backups == [third, fourth]


def test_doctor_names_those_that_no_key_opens(backed_up: MakeBackedUp, place: Place) -> None:
    relay = backed_up(backup_key=OLDEST)
    lost = back_up(relay)
    change_keys(relay, NEW)
    assert doctors(relay)["state"] == "fail"
    back_up(relay)
    assert listed(relay) == [(True, None), (True, "BACKUP_KEY")]
    assert "no key opens it" in terminal_of(relay.app)("backup", "--list").output
    found = doctors(relay)
    assert found["state"] == "warn"
    assert re.search(rf"no key opens 1 backup: {lost}", found["found"]), found
    assert "BACKUP_KEY_OLD" in found["next_step"]
    refused = terminal_of(relay.app)("restore", f"{place.address}/{lost}", "--yes")
    assert (refused.exit_code, "neither BACKUP_KEY nor BACKUP_KEY_OLD" in refused.output) == (1, True)
    change_keys(relay, NEW, OLDEST)
    assert doctors(relay)["state"] == "ok"


def test_earlier_keys_alone_open_and_seal_nothing_new(backed_up: MakeBackedUp) -> None:
    relay = backed_up(backup_key=OLD)
    back_up(relay)
    change_keys(relay, "", OLD)
    back_up(relay)
    assert listed(relay) == [(True, "BACKUP_KEY_OLD"), (False, None)]


def test_only_the_beginning_is_fetched_to_find_the_key(backed_up: MakeBackedUp, place: Place) -> None:
    relay = backed_up(backup_key=NEW)
    name = back_up(relay)
    opened = places.opened(place.address, settings_of(relay))
    assert opened.head(name, HEAD) == place.read()[name][:HEAD]


@pytest.mark.parametrize("keys", ["word", f"{OLD},word", ",".join(f"{at}{OLD}" for at in range(200))])
def test_an_earlier_key_is_a_key_too(tmp_path: Path, keys: str) -> None:
    with pytest.raises(WrongSetting, match="BACKUP_KEY_OLD"):
        settings_for(tmp_path, backup_key_old=keys)


def test_earlier_keys_have_commas_between_them(tmp_path: Path) -> None:
    assert settings_for(tmp_path, backup_key_old=f" {OLD}, {OLDEST},{OLD}").backup_key_old == (OLD, OLDEST)
