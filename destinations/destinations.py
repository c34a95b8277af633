"""Destinations: where changes go. Their secrets are sealed, and opened when an adapter is."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, text

from config.clock import DAY
from destinations import registry
from destinations.contract import DestinationType
from destinations.settings import WrongSettings, checked
from models.encryption import DecryptionError, Encryption

LONGEST = 100
OVERLAP = DAY  # how long a rotated secret stays live beside the new one
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")

_COLUMNS = """id, name, type, settings, sealed_secrets, status, cause, reason, paused_at, probe_at, probes,
    failing_since, failures, succeeded_at, wait_until, checked_at, check_told, created_at, updated_at"""
_ADD = text("""
    INSERT INTO destination (name, type, settings, sealed_secrets, status, created_at, updated_at)
    VALUES (:name, :type, :settings, :sealed, 'active', :now, :now)
    ON CONFLICT (name) DO NOTHING RETURNING id""")
_CHANGE = text("""
    UPDATE destination SET settings = :settings, sealed_secrets = :sealed, updated_at = :now WHERE id = :id""")
_ALL = text(f"SELECT {_COLUMNS} FROM destination ORDER BY name")  # noqa: S608 - our own columns
_OF_TYPE = text(f"SELECT {_COLUMNS} FROM destination WHERE type = :type ORDER BY id")  # noqa: S608
_NAMED = text(f"SELECT {_COLUMNS} FROM destination WHERE name = :name")  # noqa: S608
_BY_ID = text(f"SELECT {_COLUMNS} FROM destination WHERE id = :id")  # noqa: S608
_LOCK = {
    "sqlite": _BY_ID,
    "postgresql": text(f"SELECT {_COLUMNS} FROM destination WHERE id = :id FOR NO KEY UPDATE"),  # noqa: S608
}
_PAUSE = text("""
    UPDATE destination SET status = 'paused', cause = 'hand', reason = :reason, paused_at = :now, probe_at = NULL,
        updated_at = :now
    WHERE id = :id AND status <> 'draining'""")
_RESUME = text("""
    UPDATE destination SET status = 'active', cause = NULL, reason = NULL, paused_at = NULL, probe_at = NULL,
        probes = 0, failing_since = NULL, failures = 0, wait_until = NULL, updated_at = :now
    WHERE id = :id AND status = 'paused'""")
_REMOVE = text("""
    UPDATE destination SET status = 'draining', cause = NULL, reason = NULL, paused_at = NULL, probe_at = NULL,
        wait_until = NULL, failing_since = NULL, failures = 0, updated_at = :now
    WHERE id = :id""")
_CHECKED = text("UPDATE destination SET checked_at = :now, check_told = :told WHERE id = :id")


@dataclass(frozen=True)
class NewDestination:
    """A destination as a form or the terminal gives it."""

    name: str
    type: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"NewDestination({self.name!r}, {self.type!r}, …)"


@dataclass(frozen=True)
class Destination:
    """A destination as it is stored."""

    id: int
    name: str
    type: str
    settings: dict[str, Any]
    sealed_secrets: str | None
    status: str
    cause: str | None
    reason: str | None
    paused_at: int | None
    probe_at: int | None
    probes: int
    failing_since: int | None
    failures: int
    succeeded_at: int | None
    wait_until: int | None
    checked_at: int | None
    check_told: str | None
    created_at: int
    updated_at: int

    @property
    def kind(self) -> DestinationType:
        """Return its type. Raises KeyError where this version has none of this name."""
        return registry.type_of(self.type)

    def live_secrets(self, cipher: Encryption, now: int) -> dict[str, list[str]]:
        """Return every secret's live values, the newest first. Raises models.encryption.DecryptionError."""
        return live_secrets(cipher, self.sealed_secrets, now)


@dataclass(frozen=True)
class Added:
    """A destination that was added, and the secrets that we made for it: they are shown now and never again."""

    id: int
    made: dict[str, str]

    def __repr__(self) -> str:
        return f"Added({self.id}, …)"


def add(db: Connection, cipher: Encryption, draft: NewDestination, now: int) -> Added:
    """Raises WrongSettings, whose errors are by field; `name` and `type` are fields too."""
    _check_name(draft.name)
    kind = _kind(draft.type)
    draft = _spelt(kind, draft)
    given = checked(kind, draft.settings, draft.secrets)
    sealed = _seal(cipher, {name: [_value(value, now)] for name, value in given.secrets.items()})
    values = {"name": draft.name, "type": kind.name, "settings": json.dumps(given.settings), "sealed": sealed}
    found = db.execute(_ADD, values | {"now": now}).scalar_one_or_none()
    if found is None:
        raise WrongSettings({"name": f"There already is a destination {draft.name}."})
    made = [setting.name for setting in kind.settings if setting.make and not draft.secrets.get(setting.name)]
    return Added(int(found), {name: given.secrets[name] for name in made})


def change(db: Connection, cipher: Encryption, known: Destination, draft: NewDestination, now: int) -> None:
    """Change the settings that are given, and the secrets; what is not given stays. Secrets that cannot be opened any
    more are forgotten where others are given. Raises WrongSettings, models.encryption.DecryptionError."""
    draft = _spelt(known.kind, draft)
    kept = _opened(cipher, known, or_none=bool(draft.secrets))
    current = {name: values[0]["value"] for name, values in kept.items()}
    own = {setting.name for setting in known.kind.settings} | known.settings.keys()
    settings = {name: value for name, value in known.settings.items() if name in own} | dict(draft.settings)
    given = checked(known.kind, settings, current | {name: value for name, value in draft.secrets.items() if value})
    for name, value in given.secrets.items():
        if value != current.get(name):
            kept[name] = [_value(value, now)]
    values = {"id": known.id, "settings": json.dumps(given.settings), "sealed": _seal(cipher, kept), "now": now}
    db.execute(_CHANGE, values)


def rotate(db: Connection, cipher: Encryption, known: Destination, now: int, overlap: int = OVERLAP) -> dict[str, str]:
    """Make each secret of ours anew; the old ones stay live for `overlap` milliseconds. Return the new ones, to be
    shown once. Raises WrongSettings where the type has none that we make, models.encryption.DecryptionError."""
    makers = {setting.name: setting.make for setting in known.kind.settings if setting.make is not None}
    if not makers:
        raise WrongSettings({"name": f"A destination of type {known.type} has no secret that we make."})
    ours = all(setting.make for setting in known.kind.settings if setting.secret)
    kept, made = _opened(cipher, known, or_none=ours), {}
    for name, make in makers.items():
        made[name] = make()
        old = [_ending(one, now + overlap) for one in kept.get(name, []) if _is_live(one, now)]
        kept[name] = [_value(made[name], now), *old]
    values = {"id": known.id, "settings": json.dumps(known.settings), "sealed": _seal(cipher, kept), "now": now}
    db.execute(_CHANGE, values)
    return made


def pause(db: Connection, known: Destination, reason: str, now: int) -> bool:
    """Send nothing more until it is resumed; everything waits. False where it is being removed."""
    return db.execute(_PAUSE, {"id": known.id, "reason": reason[:500], "now": now}).rowcount == 1


def resume(db: Connection, known: Destination, now: int) -> bool:
    """Send again, whatever the pause was for. False where it was not paused."""
    return db.execute(_RESUME, {"id": known.id, "now": now}).rowcount == 1


def remove(db: Connection, known: Destination, now: int) -> None:
    """Let it go: its row goes once those of its subscriptions have, which `subscriptions.remove` drains or leaves."""
    db.execute(_REMOVE, {"id": known.id, "now": now})


def note_check(db: Connection, known: Destination, told: str, now: int) -> None:
    """Keep what a check has told."""
    db.execute(_CHECKED, {"id": known.id, "told": told[:500], "now": now})


def listed(db: Connection) -> list[Destination]:
    """Return all destinations by name."""
    return [_destination(row) for row in db.execute(_ALL)]


def live_secrets(cipher: Encryption, sealed: str | None, now: int) -> dict[str, list[str]]:
    """Return the live values of sealed secrets, the newest first. Raises models.encryption.DecryptionError."""
    kept = _unsealed(cipher, sealed)
    return {name: [one["value"] for one in values if _is_live(one, now)] for name, values in kept.items()}


def of_type(db: Connection, type_name: str) -> list[Destination]:
    """Return the destinations of a type, in the order in which they were made."""
    return [_destination(row) for row in db.execute(_OF_TYPE, {"type": type_name})]


def by_name(db: Connection, name: str) -> Destination | None:
    row = db.execute(_NAMED, {"name": name}).one_or_none()
    return None if row is None else _destination(row)


def by_id(db: Connection, destination_id: int) -> Destination | None:
    row = db.execute(_BY_ID, {"id": destination_id}).one_or_none()
    return None if row is None else _destination(row)


def locked(db: Connection, destination_id: int) -> Destination | None:
    """Return a destination, locked until the transaction ends: who plans or claims messages of its lanes holds it."""
    row = db.execute(_LOCK[db.dialect.name], {"id": destination_id}).one_or_none()
    return None if row is None else _destination(row)


def _destination(row: Row[Any]) -> Destination:
    return Destination(**row._asdict() | {"settings": json.loads(row.settings)})


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        told = f"A name has 1 to {LONGEST} small letters, digits, - or _, and begins with no sign."
        raise WrongSettings({"name": told})


def _kind(name: str) -> DestinationType:
    try:
        return registry.type_of(name)
    except KeyError:
        known = ", ".join(sorted(registry.TYPES))
        raise WrongSettings({"type": f"There is no type {name[:50]}: there are {known}."}) from None


def _spelt(kind: DestinationType, draft: NewDestination) -> NewDestination:
    """Return a draft whose secrets may have been named in capitals, as in a vendor's own documents."""
    known = {setting.name.lower(): setting.name for setting in kind.settings if setting.secret}
    return replace(draft, secrets={known.get(name.lower(), name): value for name, value in draft.secrets.items()})


def _value(value: str, now: int) -> dict[str, Any]:
    return {"value": value, "since": now, "until": None}


def _ending(one: dict[str, Any], until: int) -> dict[str, Any]:
    return one | {"until": min(one["until"] or until, until)}


def _is_live(one: dict[str, Any], now: int) -> bool:
    return one["until"] is None or one["until"] > now


def _seal(cipher: Encryption, secrets: Mapping[str, Any]) -> str | None:
    return cipher.encrypt(json.dumps(secrets)) if secrets else None


def _opened(cipher: Encryption, known: Destination, *, or_none: bool) -> dict[str, list[dict[str, Any]]]:
    """Return the secrets that are kept; none where they cannot be opened and that is allowed."""
    try:
        return _unsealed(cipher, known.sealed_secrets)
    except DecryptionError:
        if or_none:
            return {}
        raise


def _unsealed(cipher: Encryption, sealed: str | None) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads(cipher.decrypt(sealed)) if sealed else {}
    return found
