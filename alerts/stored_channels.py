"""Channels that admins add in the browser: sealed like the projects' secrets, each with what it is told of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from alerts.channels import Way
from alerts.rules import CHANGING, RECOVERED, TROUBLES
from config import parsers
from config.settings import Settings
from models.alerts import AlertChannel as Table
from models.columns import columns_of
from models.encryption import DecryptionError, Encryption
from outbound.transport.addresses import for_destinations

KINDS = ("email", "slack", "webhook")
STATES = (*sorted(TROUBLES), RECOVERED, CHANGING)
LONGEST = 100  # characters of a name
LONGEST_SECRET = 2000
MOST = 50
MOST_COHORTS = 500
PREFIX = "channel "

_READ_URL = {
    "email": parsers.url("smtp", "smtps"),
    "slack": parsers.url("http", "https"),
    "webhook": parsers.url("http", "https"),
}


class WrongChannel(ValueError):
    """What was given cannot be a channel; `field` says where."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class ChannelDraft:
    """A channel as a form gives it. A `url` or `secret` of None stays as it was. Empty `states` and `cohorts` stand
    for all; chosen `cohorts` (numbers of ours) leave out connections and destinations."""

    name: str
    kind: str
    url: str | None = None
    to: str = ""
    secret: str | None = None
    states: list[str] = field(default_factory=list)
    cohorts: list[int] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"ChannelDraft({self.name!r}, {self.kind!r}, …)"


@dataclass(frozen=True)
class StoredChannel:
    """A channel; see `models.alerts.AlertChannel`."""

    id: int
    name: str
    kind: str
    recipients: str
    sealed: str
    states: list[str]
    cohorts: list[int]
    created_by: str
    created_at: int
    updated_at: int

    @property
    def key(self) -> str:
        """How rows of messages name it."""
        return f"{PREFIX}{self.id}"

    def wants(self, kind: str, subject: str) -> bool:
        """Whether it is told of this kind of news about this subject."""
        named = not self.cohorts or subject in {f"cohort {number}" for number in self.cohorts}
        return named and (not self.states or kind in self.states)

    def way(self, settings: Settings, cipher: Encryption, now: int) -> Way | None:
        """Return how a message leaves at this time; None where its secrets cannot be read with this SECRET_KEY."""
        try:
            secrets = json.loads(cipher.decrypt(self.sealed))
        except DecryptionError:
            return None
        url, secret = secrets.get("url") or settings.smtp_url, secrets.get("secret", "")
        sender = settings.alert_email_from or self.recipients.split(",")[0]
        policy = for_destinations(private=settings.allow_private_destinations)
        earlier = secrets.get("earlier") if now < secrets.get("earlier_until", 0) else None
        return Way(self.kind, url, self.recipients, sender, secret, earlier or "", policy) if url else None


def checked(draft: ChannelDraft, settings: Settings, *, is_new: bool) -> ChannelDraft:
    """Return the draft as it is kept. Raises WrongChannel at the first value that cannot be."""
    name = draft.name.strip()
    if not name or len(name) > LONGEST or not name.isprintable():
        raise WrongChannel("name", f"A name has 1 to {LONGEST} characters that can be printed.")
    if draft.kind not in KINDS:
        raise WrongChannel("kind", f"A channel is one of {', '.join(KINDS)}.")
    url = _url(draft)
    if is_new and not url and not (draft.kind == "email" and settings.smtp_url):
        raise WrongChannel(
            "url", "Give the address of the mail server." if draft.kind == "email" else "Give its address."
        )
    to = _recipients(draft) if draft.kind == "email" else ""
    if len(draft.secret or "") > LONGEST_SECRET:
        raise WrongChannel("secret", f"At most {LONGEST_SECRET} characters.")
    states = [state for state in STATES if state in draft.states]
    cohorts = sorted(set(draft.cohorts))[:MOST_COHORTS]
    kept = [] if len(states) == len(STATES) else states
    return ChannelDraft(name, draft.kind, url, to, draft.secret, kept, cohorts)


def _url(draft: ChannelDraft) -> str | None:
    if not draft.url:
        return None
    try:
        return _READ_URL[draft.kind](draft.url[:LONGEST_SECRET])
    except ValueError as error:
        raise WrongChannel("url", f"The address {error}." if str(error) else "This is no address.") from None


def _recipients(draft: ChannelDraft) -> str:
    try:
        found = parsers.emails(draft.to[:LONGEST_SECRET])
    except ValueError:
        raise WrongChannel("to", "These are not e-mail addresses with commas between them.") from None
    if not found:
        raise WrongChannel("to", "Say who gets the mails.")
    return found


def add(db: Connection, cipher: Encryption, draft: ChannelDraft, who: str, now: int) -> int:
    """Return its number. Raises WrongChannel where another one has the name, or there are too many."""
    _expect_free(db, draft.name, 0)
    if len(listed(db)) >= MOST:
        raise WrongChannel("name", f"At most {MOST} channels.")
    made = {"created_by": who, "created_at": now, "updated_at": now, "sealed": _sealed(cipher, draft, {})}
    row = insert(Table).values(_values(draft) | made)
    return db.execute(row.returning(Table.id)).scalar_one()


def change(db: Connection, cipher: Encryption, known: StoredChannel, draft: ChannelDraft, now: int) -> None:
    """Raises WrongChannel where another one has the name."""
    _expect_free(db, draft.name, known.id)
    try:
        secrets = json.loads(cipher.decrypt(known.sealed))
    except DecryptionError:
        secrets = {}
    values = _values(draft) | {"updated_at": now, "sealed": _sealed(cipher, draft, secrets)}
    db.execute(update(Table).where(Table.id == known.id).values(values))


def remove(db: Connection, known: StoredChannel) -> bool:
    """Remove it; tell whether it was there. The log of what was sent stays."""
    return db.execute(delete(Table).where(Table.id == known.id)).rowcount == 1


def listed(db: Connection) -> list[StoredChannel]:
    return [_of(row) for row in db.execute(select(*columns_of(Table, StoredChannel)).order_by(Table.name))]


def by_id(db: Connection, number: int) -> StoredChannel | None:
    row = db.execute(select(*columns_of(Table, StoredChannel)).where(Table.id == number)).one_or_none()
    return None if row is None else _of(row)


def of_key(db: Connection, key: str) -> StoredChannel | None:
    """Return the channel that a row of a message names."""
    number = key.removeprefix(PREFIX)
    return by_id(db, int(number)) if key.startswith(PREFIX) and number.isdigit() else None


def _expect_free(db: Connection, name: str, own: int) -> None:
    if db.execute(select(Table.id).where(Table.name == name, Table.id != own)).first() is not None:
        raise WrongChannel("name", f"There already is a channel {name}.")


def _values(draft: ChannelDraft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "kind": draft.kind,
        "recipients": draft.to,
        "states": json.dumps(draft.states),
        "cohorts": json.dumps(draft.cohorts),
    }


def _sealed(cipher: Encryption, draft: ChannelDraft, known: Mapping[str, str]) -> str:
    given = {"url": draft.url, "secret": draft.secret}
    return cipher.encrypt(json.dumps({**known, **{name: value for name, value in given.items() if value is not None}}))


def _of(row: Row[Any]) -> StoredChannel:
    values = row._asdict()
    return StoredChannel(**values | {"states": json.loads(values["states"]), "cohorts": json.loads(values["cohorts"])})
