"""What was typed of how a file is read: its columns or properties, which records pass, and what each of them gets."""

from itertools import zip_longest
from typing import Any

from flask import abort, request

from outbound.imports import conditions
from outbound.imports.changes import Changes, WrongChange
from outbound.imports.columns import PROPERTY, SKIP, TARGETS, TEXT, Columns, WrongColumns
from outbound.imports.conditions import SIGNS, Condition, WrongCondition
from outbound.imports.jobs import Import

MOST_NAMES = 4000


def typed_reading(job: Import) -> tuple[dict[str, Any], str]:
    """Return the settings of the import as they were typed, and why they cannot be; nothing where they can."""
    columns = _columns(job) if "mapping" in job.settings else None
    changes = Changes(tag=_pairs("tag")) if columns else _changes()
    found = _conditions()
    settings = dict(job.settings)
    if columns is not None:
        settings |= {name: value for name, value in vars(columns).items() if name != "kind"}
    settings |= {"changes": changes.given, "filter": [(one.name, one.sign, one.value) for one in found]}
    try:
        if columns is not None:
            columns.check()
        changes.check(job.kind, columns.properties if columns else frozenset())
        conditions.check(found, tuple(columns.mapping) if columns else ())
    except (WrongColumns, WrongChange, WrongCondition) as error:
        return settings, str(error)
    return settings, ""


def _columns(job: Import) -> Columns:
    known: dict[str, str] = job.settings.get("names", {})
    heads = list(job.settings["mapping"])
    mapping = {name: request.form.get(f"column.{place}", PROPERTY) for place, name in enumerate(heads)}
    called = {
        name: request.form.get(f"called.{place}", known.get(name, "")).strip() for place, name in enumerate(heads)
    }
    names = {name: new for name, new in called.items() if new not in {"", name} and mapping[name] in {PROPERTY, TEXT}}
    typed = {target: request.form.get(f"always.{target}", "").strip() for target in TARGETS[job.kind]}
    always = {name: value for name, value in typed.items() if value}
    if request.form.get("nobody"):
        always["distinct_id"] = ""
    return Columns(job.kind, mapping, always, request.form.get("operator", "$set"), names)


def _changes() -> Changes:
    """Return what is renamed and dropped of the properties that the page shows."""
    rename, drop = {}, []
    for place in range(MOST_NAMES):
        name = request.form.get(f"name.{place}")
        if name is None:
            break
        new = request.form.get(f"called.{place}", "").strip()
        if request.form.get(f"column.{place}") == SKIP:
            drop.append(name)
        elif new not in {"", name}:
            rename[name] = new
    return Changes(rename, tuple(drop), _pairs("tag"))


def _pairs(what: str) -> dict[str, str]:
    rows = _rows(f"{what}.name", f"{what}.value")
    return {name: value for name, value in rows if name or value}


def _conditions() -> list[Condition]:
    found = [Condition(*row) for row in _rows("filter.name", "filter.sign", "filter.value") if row[0] or row[2]]
    if any(one.sign not in SIGNS for one in found):
        abort(400)
    return found


def _rows(*fields: str) -> list[tuple[str, ...]]:
    """Return what was typed in rows of these fields, without blanks around it."""
    columns = [[value.strip() for value in request.form.getlist(field)] for field in fields]
    return list(zip_longest(*columns, fillvalue=""))
