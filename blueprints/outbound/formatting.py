"""How verdicts and JSON are written on the pages of sending. Registered as template filters."""

import re
from collections.abc import Callable
from typing import Any

from markupsafe import Markup, escape

from blueprints.formatting import MINUS
from blueprints.language import percent
from config.words import counted, number
from outbound.answers.types import Cell
from outbound.comparison.jobs import Comparison
from outbound.downloads.targets import size_of
from outbound.imports.columns import PROPERTY, SKIP, TEXT
from outbound.imports.jobs import Import
from outbound.request.compose import readable

# verdict: tone, and the word beside its icon
VERDICTS = {
    "accepted": ("in-step", "Accepted"),
    "partly": ("waiting", "Partly"),
    "rejected": ("needs-you", "Rejected"),
    "uncertain": ("held", "Uncertain"),
    "failed": ("waiting", "Failed"),
    None: ("working", "Under way"),
}
COLOURED = 60_000  # characters of JSON; what is longer is shown plain
FOLDED = 40_000  # characters of JSON whose objects fold
SHOWN = 300_000  # characters; more than the history keeps of a body

# A text without an end goes on to the end: whatever stands in it, no character is looked at twice.
_TOKEN = re.compile(
    r"""("(?:[^"\\]|\\.)*+(?:"|\\?\Z))(\s*+:)?|(-?\d++(?:\.\d++)?(?:[eE][+-]?\d++)?)|\b(true|false|null)\b""", re.DOTALL
)

# a comparison's state, unless it is done
COMPARED = {
    "waiting": ("working", "Waiting"),
    "running": ("working", "Comparing"),
    "failed": ("needs-you", "Stopped"),
    "cancelled": ("off", "Cancelled"),
}

# an import's state: tone, and the word beside its icon
STATES = {
    "ready": ("off", "Not begun"),
    "waiting": ("working", "About to begin"),
    "running": ("working", "Sending"),
    "paused": ("waiting", "Paused"),
    "failed": ("needs-you", "Stopped"),
    "cancelled": ("off", "Cancelled"),
    "done": ("in-step", "Done"),
}


# who did not take a record of an import
FAILED_BY = {"refused": "our checks", "rejected": "Mixpanel", "uncertain": "nobody knows"}

# what a column of a file can be besides a field of Mixpanel's
COLUMN_TARGETS = {PROPERTY: "a property", TEXT: "a property, as text", SKIP: "leave out"}


def failed_by(verdict: str) -> str:
    return FAILED_BY[verdict]


def column_target(target: str) -> str:
    """Say what a column is; a field of Mixpanel's by its own name."""
    return COLUMN_TARGETS.get(target, target)


def record_word(verdict: str | None, *, is_import: bool) -> str:
    """How one record of a call stands; only the import endpoint says that it has stored one."""
    return {"accepted": "Stored" if is_import else "Accepted", "rejected": "Refused"}.get(verdict or "", word(verdict))


def import_state(job: Import) -> tuple[str, str]:
    """How an import stands; one that is done with failed records says so."""
    if job.state == "done" and job.refused + job.uncertain:
        return "waiting", "Done, with failed records"
    return STATES[job.state]


def comparison_state(comparison: Comparison) -> tuple[str, str]:
    """How a comparison stands; one that is done says whether the two sides are equal."""
    told = comparison.summary
    if comparison.state != "done":
        return COMPARED[comparison.state]
    same = told["here"] == told["there"] and not (told.get("missing") or told.get("extra"))
    return ("in-step", "Equal") if same else ("waiting", "Different")


def tone(verdict: str | None) -> str:
    return VERDICTS[verdict][0]


def word(verdict: str | None) -> str:
    return VERDICTS[verdict][1]


def json_shown(text: str | None) -> Markup:
    """JSON with a line for each name and its kinds of values in colours; what is no JSON as it is."""
    written = readable(text)
    if len(written) > SHOWN:
        written = _cut(text or "")
    if len(written) > COLOURED or not written.lstrip().startswith(("{", "[", '"')):
        return escape(written)
    return Markup(_in_colours(written))  # noqa: S704 - every piece is escaped


def _cut(text: str) -> str:
    """As it came, without lines and colours, and no more of it than a page bears."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}\n… and {counted(len(text) - SHOWN, 'character')} more."


def _coloured(found: re.Match[str]) -> str:
    """The piece in its colour, escaped; put together by hand, as a page has thousands."""
    text, colon, number, word = found.groups()
    kind = "name" if colon else "text" if text else "number" if number else "word"
    return f'<span class="json-{kind}">{escape(text or number or word)}</span>{colon or ""}'


def json_folded(text: str | None) -> Markup:
    """JSON as `json_shown` writes it, each object and list of it in an element that folds."""
    written = readable(text)
    if len(written) > FOLDED or written == text:  # long, or no JSON
        return json_shown(text)
    pieces: list[str] = []
    for line in written.splitlines():
        shown = f"{_in_colours(line)}\n"
        if line.endswith(("{", "[")):
            pieces.append(f"<details open><summary>{shown}</summary>")
        elif line.lstrip()[:1] in {"}", "]"}:
            pieces.append(f"{shown}</details>")
        else:
            pieces.append(shown)
    return Markup("".join(pieces))  # noqa: S704 - every line is escaped


def _in_colours(text: str) -> str:
    """Readable JSON in its colours, every piece escaped."""
    pieces: list[str] = []
    at = 0
    for found in _TOKEN.finditer(text):
        pieces += [str(escape(text[at : found.start()])), _coloured(found)]
        at = found.end()
    return "".join([*pieces, str(escape(text[at:]))])


def answer_cell(cell: Cell, kind: str) -> str:
    """A cell of an answer's table; nothing where there is nothing."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    written = percent(cell) if kind == "share" else number(cell, None if isinstance(cell, int) else 2)
    return written.replace("-", MINUS)


def bytes_shown(count: int) -> str:
    return size_of(count)


FILTERS: dict[str, Callable[..., Any]] = {
    "bytes": bytes_shown,
    "verdict_tone": tone,
    "verdict_word": word,
    "json_shown": json_shown,
    "json_folded": json_folded,
    "answer_cell": answer_cell,
    "failed_by": failed_by,
    "import_state": import_state,
    "comparison_state": comparison_state,
}
