"""Cells that people open in a spreadsheet: none of them is a formula."""

import unicodedata
from typing import Any

FORMULAS = frozenset("=+-@\t\r")
_BEFORE = " \n\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}\N{ZERO WIDTH NO-BREAK SPACE}\N{ZERO WIDTH SPACE}\"'"


def disarmed(cell: Any) -> Any:
    """The cell with a quote before it where a spreadsheet would reckon with it, also behind blanks and quotes, and in
    the full width of East Asia."""
    if not isinstance(cell, str):
        return cell
    first = unicodedata.normalize("NFKC", cell.lstrip(_BEFORE)[:1])
    return f"'{cell}" if first[:1] in FORMULAS and first else cell
