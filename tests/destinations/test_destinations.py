"""Destinations and their settings: what can be one, what is kept of it, and who sees its secrets."""

from typing import Any

import pytest

from config.clock import DAY, HOUR
from destinations import destinations, opening, settings
from destinations.destinations import NewDestination
from destinations.settings import WrongSettings
from tests.destinations import sets_and_streams
from tests.destinations.conftest import Relaying
from tests.destinations.sets_and_streams import SECRET

KINDS = {kind.name: kind for kind in sets_and_streams.TYPES}


def errors_of(relaying: Relaying, *draft: Any) -> dict[str, str]:
    with pytest.raises(WrongSettings) as caught:
        relaying.database.write(lambda db: destinations.add(db, relaying.runtime.cipher, NewDestination(*draft), 1))
    return caught.value.errors


def test_a_destination_keeps_its_settings_with_all_defaults(relaying: Relaying) -> None:
    known = relaying.destination("crm", "set", batch="20", rate="2.5")
    assert known.settings["batch"] == 20
    assert known.settings["rate"] == 2.5
    assert known.settings["timeout_seconds"] == 30
    assert known.settings["retry_seconds"][:2] == [10, 30]
    assert known.status == "active"


def test_every_wrong_field_is_named_at_once(relaying: Relaying) -> None:
    wrong = {"batch": "many", "url": "nowhere", "retry_seconds": "1, soon", "colour": "red", "timeout_seconds": 0}
    assert errors_of(relaying, "crm", "set", wrong, {}).keys() == {*wrong, "KEY"}


def test_a_secret_among_the_settings_is_refused_and_not_repeated(relaying: Relaying) -> None:
    told = errors_of(relaying, "crm", "set", {"KEY": SECRET}, {"KEY": SECRET})
    assert "KEY" in told
    assert SECRET not in str(told)


def test_names_are_given_once_and_types_are_known(relaying: Relaying) -> None:
    relaying.destination("crm", "set")
    assert errors_of(relaying, "crm", "set", {}, {"KEY": SECRET}).keys() == {"name"}
    assert errors_of(relaying, "Crm!", "set", {}, {"KEY": SECRET}).keys() == {"name"}
    assert errors_of(relaying, "other", "fax", {}, {}).keys() == {"type"}


def test_no_secret_stands_in_the_database(relaying: Relaying) -> None:
    known = relaying.destination("crm", "set")
    assert SECRET not in str(relaying.relay.rows("SELECT * FROM destination"))
    assert known.live_secrets(relaying.runtime.cipher, relaying.now) == {"KEY": [SECRET]}


def test_a_secret_of_ours_is_made_and_shown_once(relaying: Relaying) -> None:
    relaying.destination("hook")
    assert relaying.made == {"KEY": f"made-{SECRET}"}


def test_a_rotated_secret_is_live_beside_the_new_one_for_a_time(relaying: Relaying) -> None:
    known, cipher = relaying.destination("hook"), relaying.runtime.cipher
    relaying.relay.clock.forward(HOUR)
    made = relaying.database.write(lambda db: destinations.rotate(db, cipher, known, relaying.now))
    assert relaying.of("hook").live_secrets(cipher, relaying.now)["KEY"] == [made["KEY"], f"made-{SECRET}"]
    relaying.relay.clock.forward(DAY)
    assert relaying.of("hook").live_secrets(cipher, relaying.now)["KEY"] == [made["KEY"]]


def test_only_what_we_make_can_be_rotated(relaying: Relaying) -> None:
    known = relaying.destination("crm", "set")
    with pytest.raises(WrongSettings):
        relaying.database.write(lambda db: destinations.rotate(db, relaying.runtime.cipher, known, 1))


def test_changing_a_setting_leaves_the_others_and_the_secrets(relaying: Relaying) -> None:
    known, cipher = relaying.destination("crm", "set", batch=20), relaying.runtime.cipher
    draft = NewDestination("crm", "set", {"rate": 3}, {"KEY": ""})
    relaying.database.write(lambda db: destinations.change(db, cipher, known, draft, relaying.now))
    changed = relaying.of("crm")
    assert (changed.settings["batch"], changed.settings["rate"]) == (20, 3)
    assert changed.live_secrets(cipher, relaying.now) == {"KEY": [SECRET]}


def test_a_pause_by_hand_says_why_and_ends_by_hand(relaying: Relaying) -> None:
    known = relaying.destination("hook")
    assert relaying.database.write(lambda db: destinations.pause(db, known, "they move", relaying.now))
    paused = relaying.of("hook")
    assert (paused.status, paused.cause, paused.reason) == ("paused", "hand", "they move")
    assert relaying.database.write(lambda db: destinations.resume(db, known, relaying.now))
    assert (relaying.of("hook").status, relaying.of("hook").cause) == ("active", None)


def test_a_check_changes_nothing_there_and_is_remembered(relaying: Relaying) -> None:
    relaying.there("crm").checked = False
    found = opening.check(relaying.runtime, relaying.destination("crm", "set"))
    assert not found.ok
    assert relaying.of("crm").check_told == found.told
    assert relaying.of("crm").checked_at == relaying.now


@pytest.mark.parametrize(
    ("given", "value"), [("5, 300", [5, 300]), ("[5, 300]", [5, 300]), ([5, 300], [5, 300]), (7, [7]), ("0.5", [0.5])]
)
def test_a_plan_of_pauses_is_read_in_every_form(given: Any, value: list[float]) -> None:
    assert settings.checked(KINDS["set"], {"retry_seconds": given}, {"KEY": "k"}).settings["retry_seconds"] == value


@pytest.mark.parametrize("given", ["", "NaN", "[", "-1", "1e99", True])
def test_what_is_no_plan_is_refused_or_the_default(given: Any) -> None:
    if given == "":
        assert settings.checked(KINDS["set"], {"retry_seconds": given}, {"KEY": "k"}).settings["retry_seconds"]
        return
    with pytest.raises(WrongSettings):
        settings.checked(KINDS["set"], {"retry_seconds": given}, {"KEY": "k"})


def test_a_batch_is_never_larger_than_the_type_takes() -> None:
    assert settings.batch_size(KINDS["set"], {"batch": 20}) == 20
    assert settings.batch_size(KINDS["set"], {}) == 100
