"""Every type that is registered says of itself what forms, terminal, API and pages need, and keeps its secrets."""

import itertools
import json
from typing import Any

import pytest

from destinations.contract import DestinationType, Erasing, Readable, Setting
from destinations.registry import TYPES
from destinations.settings import WrongSettings, all_settings, checked
from tests.destinations.far_end import FEED, change
from tests.destinations.types.far_ends import SECRET, opened_as

ALL = pytest.mark.parametrize("kind", TYPES.values(), ids=lambda kind: kind.name)
OURS = {"webhook", "sql", "files", "mixpanel"}
SECRETS = {"slack": {"webhook_url": "https://hooks.slack.com/services/T0/B0/planted-key"}}


def example(kind: DestinationType, setting: Setting) -> Any:
    """A value that this setting takes."""
    if setting.kind == "choice":
        return setting.choices[0]
    if setting.kind == "number":
        return setting.least or 7
    return setting.example or "abc"


def filled(kind: DestinationType) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings and secrets with which an operator would begin."""
    needed = [one for one in kind.settings if one.required and one.make is None]
    settings = {one.name: example(kind, one) for one in needed if not one.secret}
    return settings, {one.name: SECRET for one in needed if one.secret} | SECRETS.get(kind.name, {})


@ALL
def test_a_description_is_whole(kind: DestinationType) -> None:
    assert kind.name == kind.name.lower()
    assert kind.words
    assert all(sentence.endswith(".") for sentence in (kind.help, kind.promise))
    assert kind.batch >= 1
    assert kind.budget.rate > 0
    assert kind.budget.concurrency >= 1
    assert (kind.once == "B" and kind.name != "webhook") == (kind.window is not None)
    for setting in all_settings(kind):
        assert setting.words
        assert setting.help.endswith(".") or (kind.name in OURS and not setting.help), setting.name
        assert (setting.kind == "choice") == bool(setting.choices)
        assert not (setting.secret and setting.default)


@ALL
def test_a_vendor_may_be_called_at_another_address(kind: DestinationType) -> None:
    assert kind.name in OURS or "base_url" in {setting.name for setting in all_settings(kind)}


@ALL
def test_settings_that_are_needed_are_asked_for_by_name(kind: DestinationType) -> None:
    needed = {one.name for one in kind.settings if one.required and one.make is None and one.default is None}
    if needed:
        with pytest.raises(WrongSettings) as error:
            checked(kind, {}, {})
        assert error.value.errors.keys() == needed


@ALL
def test_what_an_operator_would_give_is_taken_and_a_secret_is_no_setting(kind: DestinationType) -> None:
    settings, secrets = filled(kind)
    given = checked(kind, settings, secrets)
    assert not {one.name for one in kind.settings if one.secret} & given.settings.keys()
    assert SECRET not in json.dumps(given.settings)
    for name in secrets:
        with pytest.raises(WrongSettings) as error:
            checked(kind, {**settings, name: SECRET}, secrets)
        assert SECRET not in str(error.value)


@ALL
def test_a_key_that_no_header_can_carry_is_refused_without_repeating_it(kind: DestinationType) -> None:
    settings, secrets = filled(kind)
    for setting, bad in itertools.product(kind.settings, ("planted\nkey", "schlüssel-päng", "x y z")):
        if setting.secret and setting.pattern:
            with pytest.raises(WrongSettings) as error:
                checked(kind, settings, {**secrets, setting.name: bad})
            assert bad not in str(error.value)


def opened(kind: DestinationType) -> Any:
    settings, secrets = filled(kind)
    given = checked(kind, settings, secrets)
    return kind.open(opened_as(kind, given.secrets, **given.settings))


@ALL
def test_a_preview_shows_bodies_and_no_secret(kind: DestinationType) -> None:
    if kind.name in OURS:
        pytest.skip("tested beside it")
    changes = [change(1, "ada@example.com"), change(2, "bob@example.com", "left", vendor_id="41")][: kind.batch]
    text = opened(kind).preview(FEED, changes)
    assert text
    assert not [word for word in (SECRET, "planted-key") if word in text]


@ALL
def test_it_can_do_what_it_says(kind: DestinationType) -> None:
    if kind.name in OURS:
        pytest.skip("tested beside it")
    adapter = opened(kind)
    assert isinstance(adapter, Readable) == kind.reads_back
    assert isinstance(adapter, Erasing) == kind.erases
