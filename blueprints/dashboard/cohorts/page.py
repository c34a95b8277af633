"""One cohort: its charts, its members with their filters and their search, its exports."""

import re
from dataclasses import astuple, dataclass
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints import exports, paging, spreadsheets, time_zone, urls
from blueprints.cohorts import Cohort, find
from blueprints.dashboard import blueprint, reading
from blueprints.dashboard.cohorts import history as cohort_history
from blueprints.dashboard.cohorts import members as cohort_members
from blueprints.dashboard.cohorts import search as cohort_search
from blueprints.dashboard.cohorts import sizes
from blueprints.dashboard.cohorts.head import Head, head
from blueprints.dashboard.cohorts.history import RANGES, History
from blueprints.dashboard.cohorts.members import SINCE, Listing
from blueprints.dashboard.cohorts.search import SearchPosition
from blueprints.exports import COLUMNS, CSV, NDJSON, Form, TooManyExports
from config.clock import DAY
from config.words import _
from runtime import current_runtime
from security import handover, sign_in_guard
from security.roles import covers, needs

KEPT_BY_RANGES = ("since", "as_of", "after", "seen", "back")
LONGEST = 1000  # characters of a search; no id and no name is longer


@dataclass(frozen=True)
class MemberFilters:
    """The filters in the address; a wrong one is left out. `as_of` is a moment or a date as it was typed, `moment` the
    same in milliseconds since 1970, of a date its end."""

    range: str
    since: str
    as_of: str
    moment: int | None
    after: int

    @classmethod
    def of_request(cls) -> "MemberFilters":
        given = request.args
        span, since, as_of = given.get("range", ""), given.get("since", ""), _as_of()
        return cls(
            span if span in RANGES else "30d",
            since if since in SINCE else "",
            as_of,
            cohort_members.moment_of(as_of, time_zone.chosen()) if as_of else None,
            urls.key(given.get("after", "")),
        )

    @property
    def asks(self) -> bool:
        return bool(self.since or self.as_of)

    @property
    def kept(self) -> dict[str, str]:
        """Return those that are set, as parameters of an address."""
        given = {"range": self.range if self.range != "30d" else "", "since": self.since, "as_of": self.as_of}
        return {name: value for name, value in given.items() if value}

    def path(self, cohort_id: int, **changed: str) -> str:
        """Return the address of the same page with other values, from its beginning."""
        named = {name: value for name, value in (self.kept | changed).items() if value}
        return url_for("dashboard.show_cohort", cohort_id=cohort_id, **named)  # type: ignore[arg-type]

    def in_range(self, span: str) -> str:
        """Return the address of the same members with another stretch of time in the charts."""
        named = {name: value for name, value in request.args.items() if name in KEPT_BY_RANGES}
        changed: dict[str, Any] = {**(request.view_args or {}), **named, "range": None if span == "30d" else span}
        return url_for("dashboard.show_cohort", **changed)


@blueprint.get("/cohorts/<int:cohort_id>")
def show_cohort(cohort_id: int) -> ResponseReturnValue:
    runtime = current_runtime()
    if "search" in request.args:
        return _found(cohort_id, request.args["search"])
    filters = MemberFilters.of_request()

    def read(db: Connection) -> tuple[Head, History, Listing, int | None]:
        found = head(db, cohort_id)
        past = cohort_history.history(db, found.cohort, filters.range, runtime.clock(), time_zone.chosen())
        return found, past, _members(db, found, filters), _total(db, found, filters)

    found, past, listing, total = reading.read(read)
    return render_template(
        "dashboard/cohorts/members.html",
        head=found,
        history=past,
        ranges={name: (_(word), reach) for name, (word, reach) in RANGES.items()},
        filters=filters,
        sinces={name: _(word) for name, word in SINCE.items()},
        listing=listing,
        pages=paging.pager(
            len(listing.rows),
            listing.key,
            total,
            "after",
            filters.kept,
        ),
        total=total,
        days=cohort_members.days_back(runtime.clock(), time_zone.chosen()),
        is_pruned=_is_pruned(found, filters),
    )


def _as_of() -> str:
    """The moment of the address: as a link says it, or the form with its two fields."""
    given = {name: request.args.get(name, "").strip() for name in ("as_of", "day", "time")}
    return given["as_of"] or "T".join(filter(None, (given["day"], given["time"] if given["day"] else "")))


def _total(db: Connection, found: Head, filters: MemberFilters) -> int | None:
    """How many the list has, where that is quickly told."""
    if filters.moment is not None:
        return sizes.then(db, found.cohort, filters.moment)
    return None if filters.since else found.cohort.member_count


def _is_pruned(found: Head, filters: MemberFilters) -> bool:
    """Whether stays that have ended since the moment may be past their retention, and so in no list."""
    runtime = current_runtime()
    kept = runtime.settings.retain_log_days * DAY
    return filters.moment is not None and found.cohort.log_gone > 0 and filters.moment < runtime.clock() - kept


def _members(db: Connection, found: Head, filters: MemberFilters) -> Listing:
    if filters.moment is not None:
        return cohort_members.as_of(db, found.cohort, filters.moment, filters.after)
    if filters.since:
        since = cohort_members.start_of(filters.since, current_runtime().clock(), time_zone.chosen())
        return cohort_members.entered_since(db, found.cohort, since, filters.after)
    return cohort_members.now_in(db, found.cohort.id, filters.after)


@blueprint.post("/cohorts/<int:cohort_id>")
@needs("viewer")
def search_members(cohort_id: int) -> ResponseReturnValue:
    """A search is posted, because an address is kept in logs and an e-mail must not be."""
    wanted = request.form.get("q", "").strip()[:LONGEST]
    position, asked = _place(), [request.form.get("from", "")[:LONGEST], urls.key(request.form.get("seen", ""))]
    key = handover.leave("search", [cohort_id, wanted, astuple(position), *asked]) if wanted else None
    return redirect(url_for("dashboard.show_cohort", cohort_id=cohort_id, search=key), 303)


def _found(cohort_id: int, key: str) -> ResponseReturnValue:
    """Show what a search has found, on a page that can be reloaded and gone back to."""
    kept = handover.find("search", key)
    if not isinstance(kept, list) or kept[0] != cohort_id:
        flash(handover.GONE)
        return redirect(url_for("dashboard.show_cohort", cohort_id=cohort_id))
    wanted, place, asked_from, seen = kept[1], SearchPosition(*kept[2]), kept[3], kept[4]

    def read(db: Connection) -> tuple[Head, Listing, SearchPosition | None]:
        head_ = head(db, cohort_id)
        found = cohort_search.search(db, head_.cohort, wanted, place)
        return head_, cohort_members.listing(cohort_members.people(db, found.stays), None), found.following

    found, listing, following = reading.read(read)
    return render_template(
        "dashboard/cohorts/search.html",
        head=found,
        wanted=wanted,
        listing=listing,
        following=following,
        here=key,
        seen=seen,
        previous=asked_from,
        continued=place != SearchPosition(),
    )


def _place() -> SearchPosition:
    """Where the form's search goes on."""
    way, value, after = (request.form.get(name, "") for name in ("way", "value", "after"))
    return SearchPosition(urls.key(way), value.replace("\0", ""), urls.key(after))


@blueprint.get("/cohorts/<int:cohort_id>/members.csv")
def export_csv(cohort_id: int) -> Response:
    return _export(PEOPLES_CSV, cohort_id)


@blueprint.get("/cohorts/<int:cohort_id>/members.ndjson")
def export_ndjson(cohort_id: int) -> Response:
    return _export(NDJSON, cohort_id)


def _lines(rows: exports.Rows) -> bytes:
    return spreadsheets.lines(exports.cells(rows)).encode()


# For people: no cell of it is a formula.
PEOPLES_CSV = Form("text/csv", (spreadsheets.BOM + spreadsheets.lines([COLUMNS])).encode(), _lines, CSV.broken)


def _export(form: Form, cohort_id: int) -> Response:
    """The members that the cohort's page shows: all, those at a moment (`?as_of=`), or those who entered since
    (`?since=`); too many at once are asked to wait."""
    runtime = current_runtime()
    if not covers(sign_in_guard.operator().role, runtime.settings.export_role):
        abort(403)
    filters = MemberFilters.of_request()
    if (filters.as_of and filters.moment is None) or filters.since != request.args.get("since", ""):
        abort(400)
    cohort = runtime.database.read(lambda db: find(db, cohort_id), one_statement=True)
    file = _file(cohort, filters, "csv" if form is PEOPLES_CSV else "ndjson")
    try:
        return exports.export(form, cohort, sign_in_guard.operator().email, file)
    except TooManyExports:
        return abort(429)


def _file(cohort: Cohort, filters: MemberFilters, ending: str) -> exports.File:
    """Name the export's file, and say whose rows are in it."""
    runtime, name = current_runtime(), cohort.label
    zone = time_zone.chosen()
    today = str(zone.day(runtime.clock()))
    if filters.moment is not None:
        day = re.sub("[^0-9]+", "-", filters.as_of).strip("-")
        of = f"as of {filters.as_of}" + (f" {zone.name}" if zone.name != "UTC" else "")
        found = cohort_members.pieces_as_of(runtime.database, cohort, filters.moment)
        return exports.File(spreadsheets.file_name(name, day, ending), found, "at a moment", of)
    if filters.since:
        since = cohort_members.start_of(filters.since, runtime.clock(), zone)
        of = f"entered-{filters.since}"
        found = cohort_members.pieces_entered_since(runtime.database, cohort, since)
        return exports.File(spreadsheets.file_name(name, f"{today}-{of}", ending), found, "who entered lately", of)
    return exports.File(spreadsheets.file_name(name, today, ending))
