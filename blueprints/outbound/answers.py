"""What a page shows of an answer: tables, in the order that was asked for, or the JSON that it is; and their CSV."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, abort, request
from sqlalchemy import Connection, select

from blueprints import spreadsheets
from blueprints.outbound import blueprint
from blueprints.outbound.loaders import delivery_of
from config.words import counted
from models import Cohort
from outbound import deliveries, projects
from outbound.answers.reading import tables_of
from outbound.answers.types import AnswerTables, Cell, Column, Table
from outbound.deliveries import Delivery
from outbound.downloads import progress
from outbound.downloads.folder import folder_of
from outbound.downloads.progress import Download
from outbound.downloads.targets import SMALL
from outbound.operations import registry
from runtime import current_runtime
from security import sign_in_guard
from security.audit import note
from security.roles import needs

LARGEST_FILE = 8 * 1024 * 1024  # bytes of an answer that a table is made of
CELLS = 1600  # of a table on a page
FEWEST = 50  # rows
COLUMNS = 13
_SORT = re.compile(r"(-?)(\d{1,2})\.(\d{1,2})")


@dataclass(frozen=True)
class Head:
    """A column's head: what its link sorts by, and which way the table is sorted by it now."""

    column: Column
    sort: str
    direction: str = ""


@dataclass(frozen=True)
class Row:
    """`at` is its place in the answer, by which a chart is drawn; `cohort_id` ours of the cohort that it is about."""

    at: int
    cells: tuple[Cell, ...]
    cohort_id: int | None = None


@dataclass(frozen=True)
class ShownTable:
    """A table as far as a page shows it; `says` what of it is not here."""

    table: Table
    heads: list[Head]
    rows: list[Row]
    says: str = ""
    chart: str = ""
    totals: tuple[Cell, ...] = field(default=())


def told(delivery: Delivery, download: Download | None) -> dict[str, Any]:
    """Return what the page of a call shows of its answer; without a table, nothing more than that."""
    found = _tables(delivery, download)
    view = "json" if request.args.get("view") == "json" or found is None or not found.tables else "table"
    shown = [] if found is None or view == "json" else [_shown(*pair) for pair in enumerate(found.tables)]
    if any(one.table.cohorts for one in shown):
        shown = current_runtime().database.read(lambda db: [_linked(db, delivery.project, one) for one in shown])
    return {"tables": found, "shown_tables": shown, "view": view, "is_answer_cut": not is_whole(delivery, download)}


def is_whole(delivery: Delivery, download: Download | None) -> bool:
    """Whether the history has kept all of the answer."""
    kept = max(SMALL, len((delivery.answer or "").encode()))
    return not deliveries.is_cut(delivery.answer) and (download is None or download.size <= kept)


def _tables(delivery: Delivery, download: Download | None) -> AnswerTables | None:
    operation = registry.find(delivery.operation)
    if operation is None or delivery.verdict != "accepted" or delivery.answer is None:
        return None
    text = delivery.answer
    if not is_whole(delivery, download) and download is not None and operation.answer != "ndjson":
        text = _of_file(download) or text
    return tables_of(operation, (delivery.given or {}).get("params", {}), text)


def _of_file(download: Download) -> str:
    """Return the whole of an answer that the history has kept the beginning of; empty where it is too long, or gone."""
    path = folder_of(current_runtime()).file(download.file or "")
    if path is None or download.state != "whole" or download.size > LARGEST_FILE:
        return ""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:  # it was removed meanwhile
        return ""


def _shown(number: int, table: Table) -> ShownTable:
    width = min(len(table.columns), COLUMNS)
    most = max(FEWEST, CELLS // width)
    rows = [Row(at, cells[:width]) for at, cells in enumerate(table.rows)]
    heads = [Head(column, _next(number, place, column)) for place, column in enumerate(table.columns[:width])]
    sorted_by = _SORT.fullmatch(request.args.get("sort", ""))
    if sorted_by and int(sorted_by[2]) == number and int(sorted_by[3]) < width:
        place, is_down = int(sorted_by[3]), bool(sorted_by[1])
        rows = _sorted(rows, place, is_down=is_down)
        way = "descending" if is_down else "ascending"
        heads[place] = Head(heads[place].column, f"{'' if is_down else '-'}{number}.{place}", way)
    is_all = len(rows) <= most
    chart = table.chart if is_all or not sorted_by else ""
    return ShownTable(table, heads, rows[:most], _left_out(table, most, width), chart, table.totals[:width])


def _next(number: int, place: int, column: Column) -> str:
    """Return what a head sorts by at first: numbers begin with the largest."""
    return f"{'-' if column.is_number else ''}{number}.{place}"


def _sorted(rows: list[Row], place: int, *, is_down: bool) -> list[Row]:
    """Sort numbers before texts; what is not there comes last, whichever way."""
    there = [row for row in rows if row.cells[place] not in (None, "")]
    return [
        *sorted(there, key=lambda row: _rank(row.cells[place]), reverse=is_down),
        *(row for row in rows if row.cells[place] in (None, "")),
    ]


def _rank(cell: Cell) -> tuple[bool, float, str]:
    return (True, 0, cell.casefold()) if isinstance(cell, str) else (False, cell or 0, "")


def _left_out(table: Table, most: int, width: int) -> str:
    """Say how much of the table a page does not show."""
    said = []
    if len(table.rows) + table.left_out > most:
        said.append(f"The first {most:,} of {counted(len(table.rows) + table.left_out, 'row')}.")
    every = len(table.columns) + table.columns_left_out
    if every > width:
        said.append(f"The first {width} of {every:,} columns.")
    is_more = table.left_out or table.columns_left_out
    return " ".join([*said, f"The CSV has {'more' if is_more else 'all'} of them."] if said else [])


def _linked(db: Connection, project: str, shown: ShownTable) -> ShownTable:
    """Lead from rows about Mixpanel's cohorts to ours."""
    found = projects.by_name(db, project)
    wanted = [shown.table.cohorts[row.at] for row in shown.rows] if shown.table.cohorts and found is not None else []
    if found is None or not wanted:
        return shown
    ours = select(Cohort.mixpanel_cohort_id, Cohort.id).where(
        Cohort.project_id == found.mixpanel_project_id, Cohort.mixpanel_cohort_id.in_(wanted)
    )
    ids = {row.mixpanel_cohort_id: row.id for row in db.execute(ours)}
    rows = [Row(row.at, row.cells, ids.get(shown.table.cohorts[row.at])) for row in shown.rows]
    return ShownTable(shown.table, shown.heads, rows, shown.says, shown.chart, shown.totals)


@blueprint.get("/send/history/<int:delivery_id>/answer.csv")
@needs("operator")
def answer_csv(delivery_id: int) -> Response:
    """A table of the answer (`?table=1` the second) as a file for spreadsheets."""
    runtime = current_runtime()
    delivery = delivery_of(delivery_id)
    found = _tables(delivery, runtime.database.read(lambda db: progress.of(db, delivery_id), one_statement=True))
    number = request.args.get("table", "0")
    if found is None or not number.isdecimal() or int(number[:4]) >= len(found.tables):
        abort(404)
    table = found.tables[int(number)]
    _note(delivery, len(table.rows))
    heads: Sequence[Cell] = [column.name for column in table.columns]
    response = Response(spreadsheets.BOM + spreadsheets.lines([heads, *table.rows]), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{delivery.operation}-{delivery.id}.csv"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _note(delivery: Delivery, rows: int) -> None:
    runtime, who = current_runtime(), sign_in_guard.operator().email
    subject = f"answer of call {delivery.id}, {delivery.operation}"
    runtime.database.write(
        lambda db: note(db, runtime.clock(), who, "answer.download", subject, after={"rows": rows, "format": "csv"})
    )
