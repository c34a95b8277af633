"""Who is at the browser: the dashboard's guard, and the cookie behind it.

The cookie is Flask's signed session: an operator's id and the number that a change of password or role makes another.
Every call asks the database, so that a removed operator is out at once.
"""

from urllib.parse import urlsplit

from flask import current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import Forbidden, Unauthorized

from security import forms, operators
from security.house import house
from security.operators import Operator
from security.roles import covers, role_of

SAFE = ("GET", "HEAD", "OPTIONS")
SAYS_HERE = ("same-origin", "none", None)  # Sec-Fetch-Site of a form of ours; older browsers say nothing

csrf = CSRFProtect()


def start(operator: Operator) -> None:
    """Remember in this browser who signed in; whatever the cookie held before goes (session fixation)."""
    session.clear()
    session["operator"] = operator.id
    session["sign_ins"] = operator.sign_ins
    session.permanent = True


def end() -> None:
    session.clear()


def operator() -> Operator:
    """Who is signed in; only behind the dashboard's guard."""
    found: Operator = g.operator
    return found


def visitor() -> None:
    """The guard of the pages that lead in: everybody may come, forged forms may not."""
    _expect_a_form()


def dashboard_guard() -> ResponseReturnValue | None:
    """Lets signed-in operators pass whose role covers what the view needs: `viewer` to read; what changes something is
    marked with the role that it takes (`security.roles.needs`), an admin's where it is not."""
    known = _who()
    if known is None:
        return _send_to_sign_in()
    g.operator = known
    if not covers(known.role, _needed()):
        raise Forbidden
    _expect_a_form()
    return None


def _expect_a_form() -> None:
    """Bound the form of this call, and refuse a forged one: first by what the browser says of where it comes from, so
    that nobody's page makes us read what a form may hold, then by the token in it."""
    forms.bound(current_app.view_functions[request.endpoint or ""])
    if request.method in SAFE:
        return
    if request.headers.get("Sec-Fetch-Site") not in SAYS_HERE:
        raise CSRFError
    forms.count_fields()
    csrf.protect()


def _needed() -> str:
    view = current_app.view_functions[request.endpoint or ""]
    return role_of(view) or ("viewer" if request.method in SAFE else "admin")


def _who() -> Operator | None:
    operator_id = session.get("operator")
    if not isinstance(operator_id, int):
        return None
    found = house().database.read(lambda db: operators.by_id(db, operator_id), one_statement=True)
    return found if found is not None and found.sign_ins == session.get("sign_ins") else None


def _send_to_sign_in() -> ResponseReturnValue:
    """A page leads to the sign-in and back; a fragment or a form must not be answered with a whole page."""
    if request.headers.get("HX-Request") == "true":
        return "", 401, {"HX-Redirect": url_for("sign.sign_in_form")}
    if request.method not in SAFE:
        raise Unauthorized
    back = request.full_path.rstrip("?")
    return redirect(url_for("sign.sign_in_form", next=back if back != "/" else None))


def local_path(given: str) -> str:
    """`given` where it is a path of ours, else the overview: a link must not lead through our sign-in elsewhere."""
    try:
        parts = urlsplit(given.replace("\\", "/"))
    except ValueError:  # what it says to half an address
        return url_for("dashboard.overview")
    safe = given.startswith("/") and not given.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return given if safe and "\n" not in given and "\r" not in given else url_for("dashboard.overview")
