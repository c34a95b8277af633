"""How verdicts and JSON are written on the pages of sending. Registered as template filters."""

import re
from collections.abc import Callable
from typing import Any

from markupsafe import Markup, escape

from outbound.bulk.rows import Import
from outbound.comparison.rows import Comparison
from outbound.compose import readable
from outbound.downloads.targets import size_of

# verdict: tone, and the word beside its icon
VERDICTS = {
    "accepted": ("in-step", "Accepted"),
    "partly": ("waiting", "Partly"),
    "rejected": ("needs-you", "Rejected"),
    "uncertain": ("held", "Uncertain"),
    "failed": ("waiting", "Failed"),
    None: ("working", "Under way"),
}
SHOWN = 60_000  # characters of JSON that are coloured; the rest is plain

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b')

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


def import_state(job: Import) -> tuple[str, str]:
    """How an import stands; one that is done with failed records says so."""
    if job.state == "done" and job.refused + job.uncertain:
        return "waiting", "Done, with failed records"
    return STATES[job.state]


def comparison_state(one: Comparison) -> tuple[str, str]:
    """How a comparison stands; one that is done says whether the two sides are equal."""
    told = one.summary
    if one.state != "done":
        return COMPARED[one.state]
    same = told["here"] == told["there"] and not (told.get("missing") or told.get("extra"))
    return ("in-step", "Equal") if same else ("waiting", "Different")


def tone(verdict: str | None) -> str:
    return VERDICTS[verdict][0]


def word(verdict: str | None) -> str:
    return VERDICTS[verdict][1]


def json_shown(text: str | None) -> Markup:
    """JSON with a line for each name and its kinds of values in colours; what is no JSON as it is."""
    written = readable(text)
    if len(written) > SHOWN or not written.lstrip().startswith(("{", "[", '"')):
        return escape(written)
    pieces, at = [], 0
    for found in _TOKEN.finditer(written):
        pieces.append(escape(written[at : found.start()]))
        pieces.append(_coloured(found))
        at = found.end()
    return Markup("").join([*pieces, escape(written[at:])])


def _coloured(found: re.Match[str]) -> Markup:
    text, colon, number, word = found.groups()
    kind = "name" if colon else "text" if text else "number" if number else "word"
    return Markup('<span class="json-{}">{}</span>{}').format(kind, text or number or word, colon or "")


def bytes_shown(count: int) -> str:
    return size_of(count)


FILTERS: dict[str, Callable[..., Any]] = {
    "bytes": bytes_shown,
    "verdict_tone": tone,
    "verdict_word": word,
    "json_shown": json_shown,
    "import_state": import_state,
    "comparison_state": comparison_state,
}
