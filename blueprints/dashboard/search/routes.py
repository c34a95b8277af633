"""The search on every page: as somebody types, and as a page of its own. What is looked for is posted, so that no
address and no log holds it; the page that it leads to stands under a key (`security.handover`)."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from htmx_flask import request

from blueprints.dashboard import blueprint
from blueprints.dashboard.search import find
from blueprints.dashboard.search.find import Hit
from runtime import current_runtime
from security import handover, sign_in_guard
from security.roles import needs

LONGEST = 1000  # characters; no id and no name is longer


@blueprint.get("/search")
def show_search() -> ResponseReturnValue:
    """The box for a search, and what a search has found (`?search=`)."""
    key = request.args.get("search")
    if key is None:
        return render_template("dashboard/search/page.html", q="", hits=None)
    given = handover.find("search", key)
    if not isinstance(given, str):
        flash(handover.GONE)
        return redirect(url_for("dashboard.show_search"))
    return render_template("dashboard/search/page.html", q=given, hits=_hits(given))


@blueprint.post("/search")
@needs("viewer")
def search() -> ResponseReturnValue:
    """What answers to it: to htmx as a list; else on a page of its own, or at once where it is the only one."""
    given = request.form.get("q", "")[:LONGEST]
    found = _hits(given) if given.strip() else []
    if request.htmx:
        return render_template("dashboard/search/_found.html", q=given.strip(), hits=found)
    if len(found) == 1:
        return redirect(found[0].path, 303)
    key = handover.leave("search", given) if given.strip() else None
    return redirect(url_for("dashboard.show_search", search=key), 303)


def _hits(given: str) -> list[Hit]:
    role = sign_in_guard.operator().role
    return current_runtime().database.read(lambda db: find.hits(db, given, role))
