"""Mixpanel projects that we may call, with their credentials: sealed in the database, opened for one call at a time."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, select, update

import models
from models.columns import columns_of
from models.encryption import DecryptionError, Encryption
from models.insert_once import insert_once
from outbound.transport.hosts import REGIONS

LONGEST = 100
INTEGRATION = "cohort-relay"  # where a project names no other
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class WrongProject(ValueError):
    """What was given cannot be a project; `field` says where."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Credentials:
    """What Mixpanel gave, in plain text: only in memory, for one call. Empty where it is not known."""

    token: str = ""
    username: str = ""
    secret: str = ""

    def __repr__(self) -> str:
        return "Credentials(…)"


@dataclass(frozen=True)
class Project:
    """A project as it is stored: whatever opens a door is sealed."""

    id: int
    name: str
    region: str
    mixpanel_project_id: str
    sealed_token: str | None
    sealed_username: str | None
    sealed_secret: str | None
    integration_id: str | None
    workspace_id: str | None
    created_at: int
    updated_at: int
    checked_at: int | None
    checked: str | None

    @property
    def integration(self) -> str:
        """What we call ourselves towards Mixpanel (mixpanel-facts 2.3)."""
        return self.integration_id or INTEGRATION

    def credentials(self, cipher: Encryption) -> Credentials:
        """Raises models.encryption.DecryptionError where SECRET_KEY is another one than when they were sealed."""
        sealed = (self.sealed_token, self.sealed_username, self.sealed_secret)
        return Credentials(*(cipher.decrypt(one) if one else "" for one in sealed))


@dataclass(frozen=True)
class ProjectFields:
    """A project as a form or the terminal gives it; a credential that is None stays as it was."""

    name: str
    region: str
    mixpanel_project_id: str
    token: str | None = None
    username: str | None = None
    secret: str | None = None
    integration_id: str = ""
    workspace_id: str = ""

    def __repr__(self) -> str:
        return f"ProjectFields({self.name!r}, …)"


def checked(draft: ProjectFields) -> ProjectFields:
    """Return the draft without the blanks around its values. Raises WrongProject at the first value that cannot be."""
    draft = ProjectFields(*(value.strip() if isinstance(value, str) else value for value in vars(draft).values()))
    if not _NAME.fullmatch(draft.name) or len(draft.name) > LONGEST:
        raise WrongProject("name", f"A name has 1 to {LONGEST} small letters, digits, - or _, and begins with no sign.")
    if draft.region not in REGIONS:
        raise WrongProject("region", f"A region is one of {', '.join(REGIONS)}.")
    if not draft.mixpanel_project_id.isascii() or not draft.mixpanel_project_id.isdigit():
        raise WrongProject("project_id", "Mixpanel's project id is a number: Project Settings, Overview.")
    if draft.workspace_id and not (draft.workspace_id.isascii() and draft.workspace_id.isdigit()):
        raise WrongProject("workspace_id", "A workspace id is a number.")
    for field in ("token", "username", "secret", "integration_id"):
        value = getattr(draft, field) or ""
        if len(value) > LONGEST * 5 or not value.isprintable():
            raise WrongProject(
                field, "This cannot be one of Mixpanel's: it is too long, or has signs that cannot be seen."
            )
    if draft.username and ":" in draft.username:
        raise WrongProject("username", "A service account's username has no colon.")
    return draft


def add(db: Connection, cipher: Encryption, draft: ProjectFields, now: int) -> None:
    """Raises WrongProject."""
    values = _values(cipher, draft, None) | {"name": draft.name, "created_at": now, "updated_at": now}
    if not insert_once(db, models.Project, "name", values):
        raise WrongProject("name", f"There already is a project {draft.name}.")


def change(db: Connection, cipher: Encryption, known: Project, draft: ProjectFields, now: int) -> None:
    """Everything but the name; a credential of None stays, an empty one is forgotten."""
    values = _values(cipher, draft, known) | {"updated_at": now, "checked_at": None, "checked": None}
    db.execute(update(models.Project).where(models.Project.id == known.id).values(values))


def remove(db: Connection, known: Project) -> bool:
    """Remove a project, and tell whether it was there; the history of its calls stays."""
    return db.execute(delete(models.Project).where(models.Project.id == known.id)).rowcount == 1


def listed(db: Connection) -> list[Project]:
    """Return all projects by name."""
    return [Project(*row) for row in db.execute(_select().order_by(models.Project.name))]


def undecryptable(db: Connection, cipher: Encryption) -> list[str]:
    """Return the names of those whose credentials cannot be opened: sealed under another key, or damaged."""

    def is_lost(project: Project) -> bool:
        try:
            project.credentials(cipher)
        except DecryptionError:
            return True
        return False

    return [project.name for project in listed(db) if is_lost(project)]


def by_name(db: Connection, name: str) -> Project | None:
    row = db.execute(_select().where(models.Project.name == name)).one_or_none()
    return Project(*row) if row is not None else None


def by_mixpanel_id(db: Connection, project_id: str) -> Project | None:
    """Return the first of the projects that have this id at Mixpanel: whose cohorts and people those are."""
    theirs = _select().where(models.Project.mixpanel_project_id == project_id)
    row = db.execute(theirs.order_by(models.Project.id).limit(1)).one_or_none()
    return Project(*row) if row is not None else None


def note_check(db: Connection, known: Project, report: str, now: int) -> None:
    """Keep what the credentials were seen to work for (a JSON object)."""
    noted = update(models.Project).where(models.Project.id == known.id).values(checked_at=now, checked=report)
    db.execute(noted)


def _select() -> Select[Any]:
    return select(*columns_of(models.Project, Project))


def _values(cipher: Encryption, draft: ProjectFields, known: Project | None) -> dict[str, Any]:
    return {
        "region": draft.region,
        "mixpanel_project_id": draft.mixpanel_project_id,
        "sealed_token": _sealed(cipher, draft.token, known.sealed_token if known else None),
        "sealed_username": _sealed(cipher, draft.username, known.sealed_username if known else None),
        "sealed_secret": _sealed(cipher, draft.secret, known.sealed_secret if known else None),
        "integration_id": draft.integration_id or None,
        "workspace_id": draft.workspace_id or None,
    }


def _sealed(cipher: Encryption, given: str | None, stored: str | None) -> str | None:
    if given is None:
        return stored
    return cipher.encrypt(given) if given else None
