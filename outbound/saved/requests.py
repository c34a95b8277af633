"""The saved requests themselves: what one is, and adding, changing, finding and removing them."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, or_, select, update

from models.columns import columns_of, is_storable
from models.encryption import Encryption
from models.insert_once import insert_once
from models.saved_requests import SavedRequest as Table
from outbound.operations import registry
from outbound.operations.types import CallInput, Composed, Operation
from outbound.projects import Credentials, Project
from outbound.request.masking import mask_of
from outbound.saved import expectations, variables
from outbound.saved.expectations import WrongExpectation
from outbound.saved.variables import Variables, WrongVariable

LONGEST_NAME = 100  # characters of a name and of a folder
MOST_GIVEN = 1024 * 1024  # characters of what it is made from
MOST_LISTED = 500


class WrongSavedRequest(ValueError):
    """What was given cannot be saved; `field` says where."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class SavedDraft:
    """What a saved request says, as a form, a file or the terminal gives it. `checks` are lines."""

    name: str
    folder: str
    operation: str
    project: str
    given: CallInput
    variables: Variables = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SavedRequest:
    """A saved request; see `models.saved_requests.SavedRequest`."""

    id: int
    name: str
    folder: str
    operation: str
    project: str
    given: CallInput
    variables: Variables
    checks: list[str]
    created_by: str
    created_at: int
    updated_by: str
    updated_at: int
    every_ms: int | None
    next_at: int | None
    scheduled_by: str | None
    ran_at: int | None
    passed: bool | None
    reason: str | None

    @property
    def draft(self) -> SavedDraft:
        return SavedDraft(self.name, self.folder, self.operation, self.project, self.given, self.variables, self.checks)


def checked(draft: SavedDraft) -> SavedDraft:
    """Return the draft as it is kept. Raises WrongSavedRequest at the first value that cannot be."""
    folder = "/".join(filter(None, (part.strip() for part in draft.folder.split("/"))))
    draft = replace(draft, name=draft.name.strip(), folder=folder)
    if not draft.name:
        raise WrongSavedRequest("name", "Give it a name.")
    for where, value in (("name", draft.name), ("folder", draft.folder)):
        if len(value) > LONGEST_NAME or not value.isprintable():
            raise WrongSavedRequest(where, f"At most {LONGEST_NAME} characters that can be printed.")
    operation = registry.find(draft.operation)
    if operation is None:
        raise WrongSavedRequest("operation", f"There is no operation {draft.operation[:60]}.")
    try:
        lines = [one.line for one in expectations.of_texts(draft.checks)]
    except WrongExpectation as error:
        raise WrongSavedRequest("checks", str(error)) from None
    try:
        variables.checked(draft.variables)
    except WrongVariable as error:
        raise WrongSavedRequest("variables", str(error)) from None
    written = _written(draft.given)
    if len(written) > MOST_GIVEN or not is_storable(written):
        raise WrongSavedRequest("given", "The request is longer than 1 MB, or holds what cannot be stored.")
    return replace(draft, operation=operation.id, checks=lines)


def without_secrets(cipher: Encryption, draft: SavedDraft, project: Project | None) -> SavedDraft:
    """Return the draft with a variable in place of each secret parameter, and the project's own credentials masked.
    Raises models.encryption.DecryptionError."""
    operation = registry.find(draft.operation)
    if operation is None:
        return draft
    credentials = project.credentials(cipher) if project else Credentials()
    mask = mask_of(credentials, Composed(operation, draft.given, None, ()))
    params = mask.within(_with_placeholders(operation, draft.given.params))
    body = mask.within(draft.given.body)
    named = {name: {where: mask(value) for where, value in values.items()} for name, values in draft.variables.items()}
    return replace(draft, given=CallInput(params, body), variables=named)


def _with_placeholders(operation: Operation, params: dict[str, Any]) -> dict[str, Any]:
    """Secret parameters as `{{name}}`: asked for at each run."""
    names = {name for param in operation.params if param.secret for name in (param.name, *param.also)}
    return {name: _placeholder(name) if name in names and value else value for name, value in params.items()}


def _placeholder(name: str) -> str:
    plain = "".join(sign if sign.isalnum() else "_" for sign in name)
    return f"{{{{{plain}}}}}"


def add(db: Connection, draft: SavedDraft, who: str, now: int) -> int:
    """Return its number. Raises WrongSavedRequest where another one has the name."""
    made = {"created_by": who, "created_at": now, "updated_by": who, "updated_at": now}
    if not insert_once(db, Table, "name", _values(draft) | made):
        raise _taken(draft.name)
    return db.execute(select(Table.id).where(Table.name == draft.name)).scalar_one()


def change(db: Connection, known: SavedRequest, draft: SavedDraft, who: str, now: int) -> None:
    """Raises WrongSavedRequest where another one has the name."""
    other = db.execute(select(Table.id).where(Table.name == draft.name, Table.id != known.id)).first()
    if other is not None:
        raise _taken(draft.name)
    values = _values(draft) | {"updated_by": who, "updated_at": now}
    db.execute(update(Table).where(Table.id == known.id).values(values))


def put(db: Connection, known: SavedRequest | None, draft: SavedDraft, who: str, now: int) -> bool:
    """Add it, or put it in the place of the `known` one of its name; tell whether that changed anything."""
    if known is None:
        add(db, draft, who, now)
    elif known.draft != draft:
        change(db, known, draft, who, now)
    return known is None or known.draft != draft


def _taken(name: str) -> WrongSavedRequest:
    return WrongSavedRequest("name", f"There already is a saved request {name}.")


def remove(db: Connection, known: SavedRequest) -> bool:
    """Remove it with its runs; tell whether it was there. The history of its calls stays."""
    return db.execute(delete(Table).where(Table.id == known.id)).rowcount == 1


def by_id(db: Connection, number: int) -> SavedRequest | None:
    row = db.execute(_select().where(Table.id == number)).one_or_none()
    return None if row is None else of_row(row)


def by_name(db: Connection, name: str) -> SavedRequest | None:
    row = db.execute(_select().where(Table.name == name)).one_or_none()
    return None if row is None else of_row(row)


def listed(db: Connection, sought: str = "", folder: str | None = None) -> list[SavedRequest]:
    """Return them by folder and name: those in whose name, folder or operation `sought` stands, whatever its case."""
    found = _select().order_by(Table.folder, Table.name).limit(MOST_LISTED)
    if folder is not None:
        found = found.where(Table.folder == folder)
    if sought:
        places = (func.lower(column) for column in (Table.name, Table.folder, Table.operation))
        found = found.where(or_(*(place.contains(sought.lower(), autoescape=True) for place in places)))
    return [of_row(row) for row in db.execute(found)]


def folders(db: Connection) -> list[str]:
    """Return the names of all folders that hold something; "" is none."""
    return list(db.execute(select(Table.folder).distinct().order_by(Table.folder)).scalars())


def _select() -> Select[Any]:
    return select(*columns_of(Table, SavedRequest))


def of_row(row: Row[Any]) -> SavedRequest:
    """Return a saved request of a row that has its columns."""
    values = row._asdict()
    given = json.loads(values["given"])
    values["given"] = CallInput(given["params"], given["body"])
    return SavedRequest(
        **values | {"variables": json.loads(values["variables"]), "checks": json.loads(values["checks"])}
    )


def _written(given: CallInput) -> str:
    return json.dumps({"params": given.params, "body": given.body})


def _values(draft: SavedDraft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "folder": draft.folder,
        "operation": draft.operation,
        "project": draft.project,
        "given": _written(draft.given),
        "variables": json.dumps(draft.variables),
        "checks": json.dumps(draft.checks),
    }
