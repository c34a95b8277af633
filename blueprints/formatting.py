"""How values are written on every page: times, numbers, durations, ids. Registered as template filters."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from flask import g, url_for
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from blueprints import time_zone
from config import durations
from config.clock import iso, utc, utc_of
from config.counts import counted, in_bytes
from config.durations import age, roughly
from config.version import VERSION
from runtime import current_runtime
from security.roles import covers

Number = int | float
MINUS = "\N{MINUS SIGN}"
LONGEST_ID = 24  # letters that an id is shown whole with


def ago(moment: int | None, never: str = "never") -> Markup | str:
    """A <time>: how long ago, with the exact UTC time on hover; the browser adds the local one."""
    if moment is None:
        return never
    written, since = iso(moment), age(current_runtime().clock() - moment)
    return Markup('<time datetime="%s" title="%s" data-ago>%s</time>') % (written, utc_of(written), since)


def duration(milliseconds: Number | None) -> str:
    """A length of time in its two largest units: `1 min 12 s`; a dash where there is none."""
    return "-" if milliseconds is None else durations.duration(milliseconds)


def exact(moment: int | None) -> Markup | str:
    """`2026-11-22 01:33:19 UTC`, in the reader's zone, with the exact UTC time on hover where that is another one."""
    zone = time_zone.chosen()
    if moment is None or zone.name == "UTC":
        return utc(moment, never="")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso(moment), utc(moment), zone.written(moment))


def hour(moment: int) -> str:
    """`02:10` of today, in the reader's zone; `26 Nov 02:10` of another day."""
    zone = time_zone.chosen()
    written = zone.written(moment)
    is_today = written[:10] == zone.written(current_runtime().clock())[:10]
    return written[11:16] if is_today else f"{datetime.fromisoformat(written[:10]):%-d %b} {written[11:16]}"


def number(value: Number | None) -> str:
    """Write a number with separators: `12,345`; a dash where there is none."""
    return "-" if value is None else f"{value:,}"


def signed(value: int) -> str:
    """`+12`, `0`, and a real minus sign before what is below."""
    return f"+{value:,}" if value > 0 else f"{MINUS}{-value:,}" if value < 0 else "0"


def size(count: int | None) -> str:
    """Bytes for people: `214 KB`."""
    return "-" if count is None else in_bytes(count)


def short_id(value: str, among: Iterable[str] = ()) -> str:
    """An id as it is, one of more than LONGEST_ID letters shortened in its middle; where others of the same list
    (`among`) would look alike then, at its ends, so that the part is shown in which they differ."""
    if len(value) <= LONGEST_ID:
        return value
    short = _ends(value)
    alike = {one for one in among if len(one) > LONGEST_ID and _ends(one) == short}
    if len(alike) <= 1:
        return short
    begin, room = _shared(alike), LONGEST_ID - 2
    differs = len(value) - begin - _shared({one[begin:][::-1] for one in alike})
    first = max(begin - max(room - differs, 0) // 2, 0)
    return f"…{value[first : first + room]}…"


def _shared(values: Collection[str]) -> int:
    """How many letters all of them begin with."""
    first, last = min(values), max(values)
    pairs = enumerate(zip(first, last, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(first), len(last)))


def _ends(value: str) -> str:
    """The first and the last letters, LONGEST_ID with the sign between them."""
    return f"{value[: LONGEST_ID // 2 - 1]}…{value[-(LONGEST_ID // 2) :]}"


def identifier(value: str, among: Iterable[str] = ()) -> Markup:
    """An id, shortened as `short_id` does, whole on hover, copied by a click."""
    return Markup(
        '<button type="button" class="id" data-copy="{0}" title="{0}">'
        '<span class="visually-hidden">Copy </span><code>{1}</code></button>'
    ).format(value, short_id(value, among))


def ordinal(count: int) -> str:
    """`1st`, `2nd`, `11th`."""
    if count % 100 in {11, 12, 13}:
        return f"{count}th"
    return f"{count}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(count % 10, 'th') }".replace(" ", "")


def ranges(pairs: list[tuple[int, int]], most: int = 12) -> str:
    """`31, 36 to 100`, cut after `most` of them."""
    shown = [str(first) if first == last else f"{first} to {last}" for first, last in pairs[:most]]
    if len(pairs) > most:
        shown.append(f"and {len(pairs) - most} more gaps")
    return ", ".join(shown)


@pass_context  # else Jinja would write the address once, into the compiled template
def icon(_context: Context, name: str) -> Markup:
    """A drawing of `icons.mjs` by its name; those of the tones stand before a state's word, so that no state is told by
    colour alone. A list has one in each row, so that each is written once a page."""
    drawn: dict[str, Markup] = g.setdefault("icons", {})
    if name not in drawn:
        drawn[name] = Markup(
            '<svg class="icon" width="16" height="16" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>'
        ).format(url_for("static", filename="vendor/icons.svg"), name)
    return drawn[name]


def line_points(values: Sequence[int]) -> str:
    """The points of a tiny line of these sizes, at least two, from left to right in a box of 96 by 24."""
    low, last = min(values), len(values) - 1
    reach = (max(values) - low) or 1
    return " ".join(
        f"{round(at * 94 / last + 1)},{round(22 - (value - low) * 20 / reach)}" for at, value in enumerate(values)
    )


def note_class(tone: str) -> str:
    """The class of a note in this tone: one that all is well with is done."""
    return "done" if tone == "in-step" else tone


FILTERS: dict[str, Callable[..., Any]] = {
    "ago": ago,
    "line_points": line_points,
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
    "plural": counted,
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
        "time_zone": time_zone.chosen().name,
        "relay_version": VERSION,
        "read_behind": g.get("read_behind"),
    }
