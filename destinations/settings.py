"""The settings of a destination: those of its type and those that every type has, checked field by field."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from destinations.contract import DestinationType, Setting, slug
from models.columns import is_storable

DELETE_ON_ERASURE = Setting(
    "delete_on_erasure",
    "Delete on erasure",
    "flag",
    "On: whoever is erased here is deleted there, which cannot be undone. Off: they only leave the set.",
    default=False,
)
LONGEST = 4000  # characters of a value
MOST_PAUSES = 200
MOST_FIELDS = 100  # that go along with one person
LONGEST_PAUSE = 7 * 86_400  # seconds


class WrongSettings(ValueError):
    """What was given cannot be a destination; `errors` has a sentence by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{field}: {told}" for field, told in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True)
class Given:
    """Settings and secrets that a destination can be kept with."""

    settings: dict[str, Any]
    secrets: dict[str, str]

    def __repr__(self) -> str:
        return f"Given({self.settings!r}, …)"


def all_settings(kind: DestinationType) -> tuple[Setting, ...]:
    """Return the settings of a type, then those that every type has."""
    own = {setting.name for setting in kind.settings}
    return (*kind.settings, *(setting for setting in _common(kind) if setting.name not in own))


def checked(kind: DestinationType, settings: Mapping[str, Any], secrets: Mapping[str, Any]) -> Given:
    """Return the values of all settings, defaults included, and of the secrets that were given. Values may be texts, as
    a form or the terminal gives them. Raises WrongSettings."""
    errors = _strangers(kind, settings, secrets)
    found: dict[str, Any] = {}
    kept: dict[str, str] = {}
    for setting in all_settings(kind):
        given = (secrets if setting.secret else settings).get(setting.name)
        try:
            value = _value(setting, given)
        except ValueError as error:
            errors.setdefault(setting.name, str(error))
            continue
        if not setting.secret:
            found[setting.name] = value
        elif value is not None:
            kept[setting.name] = value
    if errors:
        raise WrongSettings(errors)
    return Given(found, kept)


def plan(kind: DestinationType, settings: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the pauses in seconds from one try to the next."""
    return tuple(settings.get("retry_seconds") or kind.retry_seconds)


def batch_size(kind: DestinationType, settings: Mapping[str, Any]) -> int:
    """Return how many changes go into one call at most."""
    lowered = settings.get(kind.batch_setting) if kind.batch_setting else None
    return max(1, min(kind.batch, int(lowered or kind.batch)))


def names_one_set(kind: DestinationType, settings: Mapping[str, Any]) -> bool:
    """Tell whether these settings name the set there: that of the type, or one that could be named by the cohort and is
    not."""
    return kind.one_subscription or any("{cohort}" not in name for name in _named_by_cohort(kind, settings))


def would_mix(kind: DestinationType, settings: Mapping[str, Any], cohort: str, others: Sequence[str]) -> bool:
    """Tell whether a cohort would be mixed with others there, because they have one set, or sets that are named by
    cohorts whose names are the same for machines. Cohorts are given by name."""
    if names_one_set(kind, settings):
        return bool(others)
    return bool(_named_by_cohort(kind, settings)) and slug(cohort) in map(slug, others)


def _named_by_cohort(kind: DestinationType, settings: Mapping[str, Any]) -> list[str]:
    return [str(settings.get(one.name, one.default)) for one in kind.settings if "{cohort}" in str(one.default)]


def _common(kind: DestinationType) -> tuple[Setting, ...]:
    common = [
        Setting(
            "retry_seconds",
            "Pauses",
            "list",
            "Seconds from one try to the next; when they are used up the message is dead.",
            default=list(kind.retry_seconds),
            least=0,
            most=LONGEST_PAUSE,
        ),
        Setting("timeout_seconds", "Timeout", "number", "Seconds that a call may take.", default=30, least=1, most=300),
        Setting("rate", "Calls a second", "number", "At most.", default=kind.budget.rate, least=0.001, most=100_000),
        Setting(
            "concurrency",
            "Calls at once",
            "number",
            "At most.",
            default=kind.budget.concurrency,
            least=1,
            most=100,
        ),
    ]
    if kind.deletes_people:
        common.append(DELETE_ON_ERASURE)
    if kind.base_url:
        common.append(
            Setting("base_url", "Address", "url", "Another address than the vendor's.", default=kind.base_url)
        )
    return tuple(common)


def _strangers(kind: DestinationType, settings: Mapping[str, Any], secrets: Mapping[str, Any]) -> dict[str, str]:
    known = {setting.name: setting for setting in all_settings(kind)}
    errors = dict.fromkeys({*settings, *secrets} - known.keys(), f"The type {kind.name} has no such setting.")
    for name in settings.keys() & known.keys():
        if known[name].secret:
            errors[name] = "This is a secret; give it among the secrets, so that no list shows it."
    for name in secrets.keys() & known.keys():
        if not known[name].secret:
            errors[name] = "This is no secret; give it among the settings."
    return errors


def _value(setting: Setting, given: Any) -> Any:
    """Raises ValueError, whose text is for people and never repeats a secret."""
    if given is None or given == "":
        if setting.secret and setting.make is not None:
            return setting.make()
        if setting.required and setting.default is None:
            raise ValueError("This is needed.")
        return setting.default
    value = _PARSERS[setting.kind](setting, given)
    if isinstance(value, str) and setting.pattern and not re.fullmatch(setting.pattern, value):
        raise ValueError(f"This does not look right{_example(setting)}.")
    return value


def _text(setting: Setting, given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError("This must be a text.")  # noqa: TRY004 - told to people, by field
    value = given.strip()
    if not value or len(value) > LONGEST or not value.isprintable() or not is_storable(value):
        raise ValueError(f"This must be a text of 1 to {LONGEST:,} characters that can be seen{_example(setting)}.")
    return value


def _url(setting: Setting, given: Any) -> str:
    value = _text(setting, given)
    try:
        parts = urlsplit(value)
        usable = bool(parts.scheme and (parts.netloc or parts.path)) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(letter.isspace() for letter in value):
        raise ValueError(f"This must be a whole address{_example(setting)}.")
    if parts.password and not setting.secret:
        raise ValueError("An address is no place for a password; give it among the secrets.")
    return value


def _number(setting: Setting, given: Any) -> float | int:
    try:
        value = float(given) if not isinstance(given, bool) else float("nan")
    except (TypeError, ValueError):
        value = float("nan")
    if not (_least(setting) <= value <= _most(setting)):
        raise ValueError(f"This must be a number from {_least(setting):g} to {_most(setting):g}.")
    return int(value) if value.is_integer() else value


def _choice(setting: Setting, given: Any) -> str:
    if given not in setting.choices:
        raise ValueError(f"This is one of {', '.join(setting.choices)}.")
    return str(given)


def _flag(_setting: Setting, given: Any) -> bool:
    known = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    value = given if isinstance(given, bool) else known.get(str(given).strip().lower())
    if value is None:
        raise ValueError("This is true or false.")
    return value


def _list(setting: Setting, given: Any) -> list[float | int]:
    items = _items(given)
    if not 1 <= len(items) <= MOST_PAUSES:
        raise ValueError(f"This is a list of 1 to {MOST_PAUSES} numbers, such as 10, 60, 300.")
    return [_number(setting, item) for item in items]


def _items(given: Any) -> list[Any]:
    if isinstance(given, str) and given.lstrip().startswith("["):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return []
    if isinstance(given, str):
        return [item for item in re.split(r"[\s,]+", given.strip()) if item]
    return list(given) if isinstance(given, list | tuple) else [given]


def _least(setting: Setting) -> float:
    return -1e15 if setting.least is None else setting.least


def _most(setting: Setting) -> float:
    return 1e15 if setting.most is None else setting.most


def _example(setting: Setting) -> str:
    return f", such as {setting.example}" if setting.example else ""


_PARSERS: dict[str, Callable[[Setting, Any], Any]] = {
    "text": _text,
    "url": _url,
    "number": _number,
    "choice": _choice,
    "flag": _flag,
    "list": _list,
}


def wrong_fields(kind: DestinationType, fields: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong, by field, with the properties that are to go along."""
    if fields and not kind.carries_fields:
        return {"fields": f"The type {kind.name} carries no fields."}
    usable = all(0 < len(word) <= 255 and word.isprintable() for pair in fields.items() for word in pair)  # noqa: PLR2004
    if len(fields) > MOST_FIELDS or not usable:
        return {"fields": f"At most {MOST_FIELDS} fields, each a name of 1 to 255 characters and a property."}
    return {}
