"""Signing in by a passkey alone: the key on the device, and the finger, face or PIN that it asks for, are two factors.

Whoever asks has said nothing yet, so that nothing is kept of the challenge but what their own cookie holds.
"""

import json
import secrets

from flask import redirect, request, session
from flask.typing import ResponseReturnValue

from blueprints.dashboard import sign
from blueprints.dashboard.passkeys import CHALLENGE, TOO_LATE, site
from blueprints.dashboard.sign_in import form_page, sent_to_provider
from config.clock import MINUTE
from runtime import current_runtime
from security import passkeys, sign_in_guard
from security.operators import Operator
from security.passkeys import Site
from security.rate_limits import TooMany, count_operator_sign_in, in_words

ASKED = "passkey"  # in the cookie
LASTS = 10 * MINUTE
STEP = "passkey alone"


@sign.post("/sign-in/passkey-alone/challenge")
def challenge_passkey_alone() -> ResponseReturnValue:
    """What the browser needs to ask the device; JSON for a script of ours."""
    challenge = secrets.token_bytes(CHALLENGE)
    options = json.loads(passkeys.to_answer_alone(site(), challenge))
    session[ASKED] = [challenge.hex(), current_runtime().clock()]
    return {"options": options}


@sign.post("/sign-in/passkey-alone")
def sign_in_by_passkey() -> ResponseReturnValue:
    """Let the owner of a passkey in."""
    here, said, asked = site(), request.form.get("credential", ""), session.pop(ASKED, None)
    operator = current_runtime().database.read(lambda db: passkeys.owner(db, said))
    email = operator.email if operator is not None else ""
    try:
        count_operator_sign_in(email, sign_in_guard.known_device(email))
    except TooMany as error:
        sign_in_guard.not_let_in("too_often")
        return form_page("", f"Too many tries. Try again in {in_words(error.retry_after)}."), 429
    wrong = _refused(operator, here, said, asked)
    if wrong or operator is None:
        sign_in_guard.failed(email, STEP)
        return form_page("", wrong), 422
    sign_in_guard.start(operator, passkeys.ALONE)
    return redirect(sign_in_guard.local_path(request.args.get("next", "")), 303)


def _refused(operator: Operator | None, here: Site, said: str, asked: object) -> str | None:
    """Return why this answer lets nobody in; None where it does."""
    runtime, now = current_runtime(), current_runtime().clock()
    if not isinstance(asked, list) or not 0 <= now - asked[1] < LASTS:
        return TOO_LATE
    if operator is None:
        return "This passkey is none of ours. Sign in with your password, and add it under Account, Second factor."
    answered = (here, bytes.fromhex(asked[0]), said)
    is_theirs = runtime.database.write(lambda db: passkeys.passed_alone(db, operator, answered, asked[1], now))
    return sent_to_provider(operator) if is_theirs else passkeys.REFUSED
