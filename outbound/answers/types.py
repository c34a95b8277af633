"""An answer as people read it: what came, in a sentence, and tables of it."""

from dataclasses import dataclass
from typing import Any, Literal

Cell = str | int | float | None
Kind = Literal["text", "number", "share", "date", "id"]

MOST_ROWS = 5_000  # of a table
MOST_COLUMNS = 60
LONGEST = 300  # characters of a cell
LARGEST = 10**15  # numbers from here on are shown as they came


@dataclass(frozen=True)
class Column:
    """A head and what stands under it; a `share` is a part of 1. What is `plotted` is a line of the table's chart."""

    name: str
    kind: Kind = "text"
    plotted: bool = False

    @property
    def is_number(self) -> bool:
        return self.kind in {"number", "share"}


@dataclass(frozen=True)
class Table:
    """Rows of one cell a column. `totals` has one too, or none where sums mean nothing (people who come on two days are
    no two people). `chart` is how its plotted columns are drawn. `cohorts` are Mixpanel's ids of the cohorts that the
    rows are about. `left_out` and `columns_left_out` count the rows and columns beyond the most of each."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    totals: tuple[Cell, ...] = ()
    chart: str = ""
    cohorts: tuple[str, ...] = ()
    left_out: int = 0
    columns_left_out: int = 0


@dataclass(frozen=True)
class AnswerTables:
    """`says` is what came: `5 countries, 31 days, 71,204 events`."""

    says: str
    tables: tuple[Table, ...]


def table(columns: list[Column], rows: list[tuple[Cell, ...]], **more: Any) -> Table:
    """Return a table with no more rows and columns than a page and a download bear."""
    kept = columns[:MOST_COLUMNS]
    short = tuple(row[: len(kept)] for row in rows[:MOST_ROWS])
    totals = tuple(more.pop("totals", ())[: len(kept)])
    cohorts = tuple(more.pop("cohorts", ())[:MOST_ROWS])
    left = max(0, len(rows) - MOST_ROWS)
    wide = len(columns) - len(kept)
    return Table(tuple(kept), short, totals=totals, cohorts=cohorts, left_out=left, columns_left_out=wide, **more)


def number(value: Any) -> int | float | None:
    """Return a number that can be added and drawn; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < LARGEST else None


def cell(value: Any) -> Cell:
    """Return any JSON as one cell: numbers as such, lists and objects as short texts."""
    found = number(value)
    if value is None or found is not None:
        return found
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        text = ", ".join(f"{name}: {cell(inner)}" for name, inner in list(value.items())[:5])
    elif isinstance(value, list):
        text = ", ".join(str(cell(inner)) for inner in value[:10])
    else:
        text = str(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def total(values: list[Cell]) -> int | float:
    """Add what is a number."""
    return sum(value for value in values if isinstance(value, int | float))
