"""How values are written on every page: times, numbers, durations, ids. Registered as template filters."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from babel.dates import format_datetime, format_skeleton, format_time
from flask import g, url_for
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from blueprints import language, time_zone
from config import lengths, words
from config.clock import Zone, iso, utc, utc_of
from config.lengths import age, roughly
from config.version import VERSION
from config.words import _, counted, later, ngettext
from runtime import current_runtime
from security.roles import covers

Number = int | float
MINUS = "\N{MINUS SIGN}"
LONGEST_ID = 24  # letters that an id is shown whole with


def ago(moment: int | None, never: str | None = None) -> Markup | str:
    """A <time>: how long ago, with the exact UTC time on hover; the browser adds the local one."""
    if moment is None:
        return _("never") if never is None else never
    written, since = iso(moment), age(current_runtime().clock() - moment)
    return Markup('<time datetime="%s" title="%s" data-ago>%s</time>') % (written, utc_of(written), since)


def duration(milliseconds: Number | None) -> str:
    """A length of time in its two largest units: `1 min 12 s`; a dash where there is none."""
    return "-" if milliseconds is None else lengths.duration(milliseconds)


def exact(moment: int | None) -> Markup | str:
    """`2026-11-22 01:33:19 UTC`, in the reader's zone and by their locale, with the exact UTC time on hover where that
    reads otherwise."""
    zone = time_zone.chosen()
    if moment is None or (zone.name == "UTC" and language.locale() is None):
        return utc(moment, never="")
    written = written_moment(moment, zone)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso(moment), utc(moment), written)


def written_moment(moment: int, zone: Zone) -> str:
    """A moment in a zone, to the second: in English the year first, which nobody reads as another day."""
    written, locale = zone.written(moment), language.locale()
    if locale is None or locale.language == language.ENGLISH:
        return written
    return f"{format_datetime(zone.at(moment), locale=locale)} {written[20:]}"


def hour(moment: int) -> str:
    """`02:10` of today, in the reader's zone; `26 Nov 02:10` of another day."""
    zone, locale = time_zone.chosen(), language.locale()
    there = zone.at(moment)
    is_today = there.date() == zone.day(current_runtime().clock())
    if locale is None or locale.language == language.ENGLISH:
        written = zone.written(moment)[11:16]
        return written if is_today else f"{there:%-d %b} {written}"
    time = format_time(there, "short", locale=locale)
    return time if is_today else f"{format_skeleton('MMMd', there, locale=locale)} {time}"


def number(value: Number | None) -> str:
    """Write a number with separators: `12,345`; a dash where there is none."""
    return "-" if value is None else words.number(value)


def signed(value: int) -> str:
    """`+12`, `0`, and a real minus sign before what is below."""
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    return f"{sign}{words.number(abs(value))}"


def size(count: int | None) -> str:
    """Bytes for people: `214 KB`."""
    if count is None:
        return "-"
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "KB")):
        if count >= unit:
            return f"{words.number(count / unit, 1) if count < 10 * unit else count // unit} {name}"
    return ngettext("%(num)s byte", "%(num)s bytes", count)


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
        '<span class="visually-hidden">{2} </span><code>{1}</code></button>'
    ).format(value, short_id(value, among), _("Copy"))


ORDINALS = {
    "one": later("%(count)sst"),
    "two": later("%(count)snd"),
    "few": later("%(count)srd"),
    "other": later("%(count)sth"),
}


ROLES = {"viewer": later("viewer"), "operator": later("operator"), "admin": later("admin")}
ROLES_OF_SOMEBODY = {"viewer": later("a viewer"), "operator": later("an operator"), "admin": later("an admin")}


def role(name: str) -> str:
    """A role in words."""
    return _(ROLES[name])


def role_of_somebody(name: str) -> str:
    """What somebody with this role is: `an admin`."""
    return _(ROLES_OF_SOMEBODY[name])


def ordinal(count: int) -> str:
    """`1st`, `2nd`, `11th`; by the rules of the words' language, which may have fewer kinds."""
    kind = language.locale_of(language.language()).ordinal_form(count)
    return _(ORDINALS.get(kind, ORDINALS["other"]), count=count)


def ranges(pairs: list[tuple[int, int]], most: int = 12) -> str:
    """`31, 36 to 100`, cut after `most` of them."""
    shown = [
        str(first) if first == last else _("%(first)s to %(last)s", first=first, last=last)
        for first, last in pairs[:most]
    ]
    if len(pairs) > most:
        more = len(pairs) - most
        shown.append(ngettext("and %(num)s more gap", "and %(num)s more gaps", more))
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
    "role": role,
    "role_of_somebody": role_of_somebody,
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
        "language": language.language(),
        "relay_version": VERSION,
        "read_behind": g.get("read_behind"),
    }
