"""CSV that people download from a page and open in a spreadsheet: nothing in it is a formula, and Excel sees UTF-8.

The JSON API's CSV is raw: a program wants what was sent.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from outbound.spreadsheets import disarmed

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"  # without it Excel reads the bytes in the encoding of its country


def lines(rows: Iterable[Sequence[Any]]) -> str:
    """RFC 4180."""
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows([disarmed(cell) for cell in row] for row in rows)
    return written.getvalue()


def file_name(name: str, day: str, ending: str) -> str:
    """`paying-users-2026-11-24.csv`: what is said of a file in a header takes letters of ASCII alone."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain[:80]).strip("-") or "cohort"
    return f"{words}-{day}.{ending}"
