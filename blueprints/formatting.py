"""How values are written on every page: times, numbers, durations, ids. Registered as template filters."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import g
from markupsafe import Markup

from config import durations
from config.clock import iso, utc
from config.durations import age, roughly
from runtime import current_runtime
from security.roles import covers

Number = int | float
MINUS = "\N{MINUS SIGN}"


def ago(moment: int | None, never: str = "never") -> Markup | str:
    """A <time>: how long ago, with the exact UTC time on hover; the browser adds the local one."""
    if moment is None:
        return never
    return Markup('<time datetime="{}" title="{}" data-ago>{}</time>').format(
        iso(moment), exact(moment), age(current_runtime().clock() - moment)
    )


def duration(milliseconds: Number | None) -> str:
    """A length of time in its two largest units: `1 min 12 s`; a dash where there is none."""
    return "-" if milliseconds is None else durations.duration(milliseconds)


def exact(moment: int | None) -> str:
    """`2026-11-22 01:33:19 UTC`."""
    return utc(moment, never="")


def hour(moment: int) -> str:
    """`02:10`, UTC, of today; `26 Nov 02:10` of another day."""
    written = utc(moment, never="")
    is_today = written[:10] == utc(current_runtime().clock(), never="")[:10]
    return written[11:16] if is_today else f"{datetime.fromisoformat(written[:10]):%-d %b} {written[11:16]}"


def number(value: Number | None) -> str:
    """Write a number with separators: `12,345`; a dash where there is none."""
    return "-" if value is None else f"{value:,}"


def signed(value: int) -> str:
    """`+12`, `0`, and a real minus sign before what is below."""
    return f"+{value:,}" if value > 0 else f"{MINUS}{-value:,}" if value < 0 else "0"


def size(count: int | None) -> str:
    """Bytes for people: `214 KB`."""
    if count is None:
        return "-"
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "KB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}" if count < 10 * unit else f"{count // unit} {name}"
    return f"{count} bytes"


def short_id(value: str) -> str:
    """An id shortened in the middle: `a81f…09c2`."""
    return value if len(value) <= 13 else f"{value[:6]}…{value[-6:]}"  # noqa: PLR2004 - what fits a column


def identifier(value: str) -> Markup:
    """An id, shortened, whole on hover, copied by a click."""
    return Markup(
        '<button type="button" class="id" data-copy="{0}" title="{0}">'
        '<span class="visually-hidden">Copy </span><code>{1}</code></button>'
    ).format(value, short_id(value))


def ordinal(count: int) -> str:
    """`1st`, `2nd`, `11th`."""
    if count % 100 in {11, 12, 13}:
        return f"{count}th"
    return f"{count}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(count % 10, 'th') }".replace(" ", "")


def plural(count: int, singular: str, many: str | None = None) -> str:
    """`1 page`, `2 pages`, with separators."""
    return f"{count:,} {singular if count == 1 else many or singular + 's'}"


def ranges(pairs: list[tuple[int, int]], most: int = 12) -> str:
    """`31, 36 to 100`, cut after `most` of them."""
    shown = [str(first) if first == last else f"{first} to {last}" for first, last in pairs[:most]]
    if len(pairs) > most:
        shown.append(f"and {len(pairs) - most} more gaps")
    return ", ".join(shown)


# Beside each tone's colour, so that no state is told by colour alone.
ICONS = {"in-step": "●", "working": "◔", "waiting": "▲", "needs-you": "■", "held": "◆", "off": "○"}


def icon(tone: str) -> str:
    """The sign that stands before a state's word. Raises KeyError for what is no tone."""
    return ICONS[tone]


def note_class(tone: str) -> str:
    """The class of a note in this tone: one that all is well with is done."""
    return "done" if tone == "in-step" else tone


FILTERS: dict[str, Callable[..., Any]] = {
    "ago": ago,
    "roughly": roughly,
    "duration": duration,
    "exact": exact,
    "hour": hour,
    "number": number,
    "signed": signed,
    "size": size,
    "icon": icon,
    "note_class": note_class,
    "short_id": short_id,
    "identifier": identifier,
    "ordinal": ordinal,
    "plural": plural,
    "ranges": ranges,
}


def surroundings() -> dict[str, Any]:
    """Return what every template knows: who is signed in, and whether they may do what takes a role."""
    runtime = current_runtime()
    operator = g.get("operator")
    return {
        "operator": operator,
        "may": lambda role: operator is not None and covers(operator.role, role),
        "may_export": operator is not None and covers(operator.role, runtime.settings.export_role),
        "public_url": runtime.settings.public_url,
        "now": runtime.clock(),
    }
