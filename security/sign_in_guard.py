"""Who is at the browser: the dashboard's guard, and the cookie behind it.

The cookie is Flask's signed session and holds the secret of a sign-in (`security.signed_in_browsers`). Every call asks
the database for it, so that whoever is signed out, removed, or given another role or password is out at once.
"""

from collections.abc import Callable
from dataclasses import asdict
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import current_app, g, redirect, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from htmx_flask import request
from sqlalchemy import Connection
from werkzeug.exceptions import Forbidden, Unauthorized

from runtime import current_runtime
from security import forms, operators, second_factor, signed_in_browsers
from security.audit import note_often
from security.client_address import address
from security.last_used import note_use
from security.operators import Operator
from security.provider_accounts import BY_PROVIDER
from security.roles import covers, role_of
from security.secrets import keyed_digests, new_secret
from security.signed_in_browsers import Ends, SignIn, SignInOrigin, browser_in_words

SAFE = ("GET", "HEAD", "OPTIONS")
CHANGED = "changed_at"  # in the cookie: when this browser's last form came
SAYS_HERE = ("same-origin", "none", None)  # Sec-Fetch-Site of a form of ours; older browsers say nothing

csrf = CSRFProtect()
log = structlog.get_logger()


def start(operator: Operator, way: str | None = None) -> None:
    """Sign this browser in, by a password alone or in the `way` that is named; whatever its cookie held before goes
    (session fixation)."""
    runtime = current_runtime()
    now = runtime.clock()
    place = here_is()

    def write(db: Connection) -> str:
        signed_in_browsers.forget_ended(db, Ends.of(runtime.settings), now)
        operators.note_sign_in(db, operator, asdict(place) | ({"by": way} if way else {}), now)
        return signed_in_browsers.start(db, runtime.settings.secret_key, operator, place, now, way)

    secret = runtime.database.write(write)
    device = known_device(operator.email) or new_secret()
    session.clear()
    session["sign_in"] = secret
    session["known"] = [_whose(operator.email)[0], device]
    session.permanent = True
    log.info("sign_in", outcome="accepted", operator=operator.id, **asdict(place))


def end() -> None:
    """Sign this browser out; a copy of its cookie is worth nothing from now on. Only behind the dashboard's guard."""
    sign_in = this_browser()
    current_runtime().database.write(lambda db: signed_in_browsers.end(db, sign_in.operator_id, sign_in.id))
    session.pop("sign_in", None)
    session.pop("csrf_token", None)


def here_is() -> SignInOrigin:
    """Return where this call comes from."""
    return SignInOrigin(address(), browser_in_words(request.user_agent.string))


def failed(email: str, step: str | None = None) -> None:
    """Note that somebody tried to sign in and was not let in; `step` is the second one, after the right password."""
    runtime, place = current_runtime(), asdict(here_is()) | ({"step": step} if step else {})
    log.warning("sign_in", outcome="refused", **place)
    runtime.database.write(lambda db: operators.note_failed_sign_in(db, email, place, runtime.clock()))


def failed_by_provider(outcome: str) -> None:
    """Note that the company's provider was asked, and nobody was let in; `outcome` is a stable word."""
    runtime, place = current_runtime(), asdict(here_is()) | {"step": BY_PROVIDER, "why": outcome}
    log.warning("sign_in", outcome="refused", **place)
    runtime.database.write(
        lambda db: note_often(
            db, runtime.clock(), operators.VISITOR, "operator.sign_in_failed", f"somebody by {BY_PROVIDER}", after=place
        )
    )


def not_let_in(outcome: str) -> None:
    """A line in the log of a try that no account can be named for: too_often, or refused by the one-time code."""
    log.warning("sign_in", outcome=outcome, **asdict(here_is()))


def known_device(email: str) -> str | None:
    """Return what this browser counts under, if this account was signed in here before; its tries are not a
    stranger's."""
    found = session.get("known")
    if not isinstance(found, list) or len(found) != 2 or not _is_of(str(found[0]), email):  # noqa: PLR2004
        return None
    return str(found[1])


def _whose(email: str) -> list[str]:
    """Return what a browser keeps of an account, under each key that was one."""
    keys = current_runtime().settings.secret_keys
    return [digest.hex() for digest in keyed_digests(keys, "known-device", operators.as_kept(email))]


def _is_of(kept: str, email: str) -> bool:
    return any(compare_digest(kept, digest) for digest in _whose(email))


def this_browser() -> SignIn:
    """Return the sign-in of the browser that calls; only behind the dashboard's guard."""
    found: SignIn = g.sign_in
    return found


def operator() -> Operator:
    """Return who is signed in; only behind the dashboard's guard."""
    found: Operator = g.operator
    return found


def visitor() -> None:
    """The guard of the pages that lead in: everybody may come, forged forms may not."""
    _expect_a_form()


def dashboard_guard() -> ResponseReturnValue | None:
    """Let signed-in operators pass whose role covers what the view needs: `viewer` to read; what changes something is
    marked with the role that it takes (`security.roles.needs`), an admin's where it is not."""
    found = _who()
    if found is None:
        return _send_to_sign_in()
    known, g.sign_in = found
    g.operator = known
    note_use(signed_in_browsers.SEEN, g.sign_in.id, g.sign_in.last_seen_at)
    if lacks_second_factor() and not second_factor.is_before_set_up(_view()):
        return _send_to("dashboard.show_second_factor")
    if not covers(known.role, _needed()):
        raise Forbidden
    _expect_a_form()
    _note_change()
    return None


def recognise() -> None:
    """Say who is signed in where no guard has: at an address that is none. Nothing is opened by that."""
    found = _who()
    if found is not None:
        g.operator, g.sign_in = found
        if lacks_second_factor():
            del g.operator


def _note_change() -> None:
    """Remember that this browser has sent a form: what it sees next must not be older, wherever pages are read."""
    runtime = current_runtime()
    if request.method not in SAFE and runtime.database.replica is not None:
        session[CHANGED] = runtime.clock()


def lacks_second_factor() -> bool:
    """Tell whether whoever is signed in has to set a second factor up before anything else; only behind the guard."""
    setting = current_runtime().settings.second_factor
    if this_browser().way == BY_PROVIDER:  # which asks for what the company wants
        return False
    return operator().second_factor_at is None and second_factor.is_demanded(setting, operator())


def _expect_a_form() -> None:
    """Bound the form of this call, and refuse a forged one: first by what the browser says of where it comes from, so
    that nobody's page makes us read what a form may hold, then by the token in it."""
    forms.bound(_view())
    if request.method in SAFE:
        return
    if request.headers.get("Sec-Fetch-Site") not in SAYS_HERE:
        raise CSRFError
    forms.count_fields()
    csrf.protect()


def _view() -> Callable[..., object]:
    return current_app.view_functions[request.endpoint or ""]


def _needed() -> str:
    return role_of(_view()) or ("viewer" if request.method in SAFE else "admin")


def _who() -> tuple[Operator, SignIn] | None:
    secret, runtime = session.get("sign_in"), current_runtime()
    if not isinstance(secret, str):
        return None
    keys, ends, now = runtime.settings.secret_keys, Ends.of(runtime.settings), runtime.clock()
    return runtime.database.read(lambda db: signed_in_browsers.find(db, keys, secret, ends, now), one_statement=True)


def _send_to_sign_in() -> ResponseReturnValue:
    """Send a page's reader to the sign-in and back."""
    back = request.full_path.rstrip("?")
    return _send_to("sign.sign_in_form", next=back if back != "/" else None)


def _send_to(endpoint: str, **query: Any) -> ResponseReturnValue:
    """Send a page's reader to another one first; answer a fragment or a form without a whole page."""
    if request.htmx:
        return "", 401, {"HX-Redirect": url_for(endpoint)}
    if request.method not in SAFE:
        raise Unauthorized
    return redirect(url_for(endpoint, **query))


def local_path(given: str) -> str:
    """`given` where it is a path of ours, else the overview: a link must not lead through our sign-in elsewhere."""
    try:
        parts = urlsplit(given.replace("\\", "/"))
    except ValueError:  # what it says to half an address
        return url_for("dashboard.overview")
    safe = given.startswith("/") and not given.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return given if safe and "\n" not in given and "\r" not in given else url_for("dashboard.overview")
