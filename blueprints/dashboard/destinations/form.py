"""The form of a destination, made from the description of its type: a field for each setting and each secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request

from destinations.contract import DestinationType, Setting
from destinations.settings import all_settings

PREFIX = "set."  # of a setting's field, so that none meets the fields of the form itself

ONCE = {
    "A": "A repeat changes nothing there.",
    "B": "A repeat within its window is dropped there.",
    "C": "A repeat would be seen twice there, so a call that may have arrived is not made again.",
    "T": "Changes and our position are written in one transaction: nothing is told twice.",
}
FAMILIES = {
    "level": "It keeps a set: who is in the cohort is in the set, and whoever leaves is taken out.",
    "edge": "It is told of events: each entry and each exit.",
}
IDENTITIES = {"any": "any identity", "email": "e-mail", "phone": "phone number"}


@dataclass(frozen=True)
class Typed:
    """What somebody has typed, by the names of settings; secrets apart, which no page shows again."""

    name: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Typed({self.name!r}, {self.settings!r}, …)"


@dataclass(frozen=True)
class Field:
    """One field of the form. `kept`: a secret is kept already, and an empty field leaves it as it is."""

    setting: Setting
    value: str
    wrong: str | None
    kept: bool = False

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.setting.name}"

    @property
    def hint(self) -> str:
        """Return its help, with an example where there is one."""
        setting = self.setting
        example = f"For example: {setting.example}" if setting.example else ""
        kept = "One is kept. Empty leaves it as it is." if self.kept else ""
        return " ".join(part for part in (setting.help, example, kept) if part)

    @property
    def is_needed(self) -> bool:
        return self.setting.required and self.setting.default is None and not self.kept


@dataclass(frozen=True)
class Fields:
    """The fields of a type: its own, those that every type has, and the secrets that we make."""

    own: list[Field]
    more: list[Field]
    made: list[Setting]

    @property
    def more_is_wrong(self) -> bool:
        return any(shown.wrong for shown in self.more)


def typed(kind: DestinationType) -> Typed:
    """Read the form as it was sent."""
    given = Typed(request.form.get("name", "").strip())
    for setting in all_settings(kind):
        value = request.form.get(f"{PREFIX}{setting.name}", "")
        if setting.secret:
            if value:
                given.secrets[setting.name] = value
        elif setting.kind == "flag":
            given.settings[setting.name] = "yes" if value else "no"
        else:
            given.settings[setting.name] = value.strip()
    return given


def fields(
    kind: DestinationType, settings: Mapping[str, Any], wrong: Mapping[str, str], kept: frozenset[str] = frozenset()
) -> Fields:
    """Return the form's fields with these values, and what is wrong with each; `kept` are the secrets that are there
    already."""
    own = {setting.name for setting in kind.settings}
    found = [
        Field(setting, _value(setting, settings), wrong.get(setting.name), setting.name in kept)
        for setting in all_settings(kind)
        if not (setting.secret and setting.make)
    ]
    return Fields(
        own=[shown for shown in found if shown.setting.name in own],
        more=[shown for shown in found if shown.setting.name not in own],
        made=[setting for setting in kind.settings if setting.secret and setting.make],
    )


def said(kind: DestinationType, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the settings in words, without secrets: the type's own, and of the others those that were changed."""
    own = {setting.name for setting in kind.settings}
    return [
        (setting.words, written(settings.get(setting.name)) or "not set")
        for setting in all_settings(kind)
        if not setting.secret and (setting.name in own or settings.get(setting.name) != setting.default)
    ]


def _value(setting: Setting, settings: Mapping[str, Any]) -> str:
    """Return what a field shows; a secret is never shown."""
    if setting.secret:
        return ""
    return written(settings.get(setting.name, setting.default))


def written(value: Any) -> str:
    """Return a value as a field shows it, nothing where it is not set."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(f"{item}" for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
