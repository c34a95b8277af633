"""Rows of a statement as what a page shows of them: every column has its field, whatever the order."""

from typing import Any, TypeVar

from sqlalchemy import CursorResult

Shown = TypeVar("Shown")


def every(result: CursorResult[Any], kind: type[Shown]) -> list[Shown]:
    """All rows of `result`, each as a `kind` whose fields are the columns. Raises TypeError where they are not."""
    return [kind(**row) for row in result.mappings()]


def one_or_none(result: CursorResult[Any], kind: type[Shown]) -> Shown | None:
    """The only row of `result` in the same way; None where there is none."""
    row = result.mappings().one_or_none()
    return None if row is None else kind(**row)
