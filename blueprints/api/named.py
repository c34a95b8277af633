"""What the headers of a call to Mixpanel ask for: a name by which it is made once, and an answer before it is over."""

import re
from collections.abc import Callable
from threading import Thread
from typing import Any

import structlog
from flask import current_app, request, url_for

from blueprints.api.replies import Problem, encoder
from blueprints.desk import desk
from outbound import deliveries, once, send
from outbound.deliveries import Delivery
from outbound.once import Named
from outbound.send import Ready
from security.house import house
from security.secrets import keyed_digest
from security.tokens import token_name

log = structlog.get_logger()

NAME = re.compile(r"[!-~]{1,255}")
Reply = tuple[bytes, int, dict[str, str]]


def name_of(place: str) -> Named | None:
    """The call's name (`Idempotency-Key`), None where it has none. Raises Problem (400)."""
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return None
    if not NAME.fullmatch(given):
        raise Problem(400, "Idempotency-Key: 1 to 255 letters, digits and signs of ASCII, without blanks.")
    return once.named(_digest, token_name(), place, given, request.get_data())


def _digest(purpose: str, content: bytes) -> str:
    return keyed_digest(house().settings.secret_key, purpose, content).hex()


def is_asked_for() -> bool:
    """Whether the call has a name, so that its body is looked at once more."""
    return "Idempotency-Key" in request.headers


def wants_no_wait() -> bool:
    """Whether `Prefer` says respond-async."""
    asked = ",".join(request.headers.getlist("Prefer")).lower().split(",")
    return any(one.partition(";")[0].strip() == "respond-async" for one in asked)


def make(call: Ready, name: Named | None, give: Callable[[], None]) -> Reply:
    """Make the call, once where it has a name; `give` gives its place back when it is over. Raises Problem (422)."""
    waits = not wants_no_wait()
    try:
        delivery, is_new = send.prepare_once(desk(), call, f"token {token_name()}", "api", name)
    except BaseException:
        give()
        raise
    if not is_new:
        give()
        return _told(delivery)
    if waits:
        return _over(_finish(call, delivery, name, give), delivery, call)
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask documents it for threads
    Thread(target=_in_background, args=(app, call, delivery, name, give), daemon=True).start()
    return _under_way(delivery)


def _finish(call: Ready, delivery: int, name: Named | None, give: Callable[[], None]) -> Any:
    try:
        outcome = send.finish(desk(), call, delivery)
        if name is not None and outcome.attempts == 0:
            house().database.write(lambda db: once.forget(db, name))  # nothing was sent: it may be tried again
        return outcome
    finally:
        give()


def _in_background(app: Any, call: Ready, delivery: int, name: Named | None, give: Callable[[], None]) -> None:
    with app.app_context():
        try:
            _finish(call, delivery, name, give)
        except Exception as error:  # the row says that nobody heard the answer, once it is given up
            cause = (type(error), None, error.__traceback__)  # without its text, which may hold what was sent
            log.warning("send.broken_off", error=type(error).__name__, delivery=delivery, exc_info=cause)


def _over(outcome: Any, delivery: int, call: Ready) -> Reply:
    return encoder.encode(send.as_json(delivery, outcome, call.mask)), 200, {}


def _told(delivery: int) -> Reply:
    """What became of an earlier call of the same name."""
    one = house().database.read(lambda db: deliveries.by_id(db, delivery), one_statement=True)
    if one is None:
        raise Problem(410, "A call of this Idempotency-Key was made, and is past its retention.")
    if one.verdict is None:
        return _under_way(delivery)
    return encoder.encode(_as_json(one)), 200, {"Idempotent-Replayed": "true"}


def _as_json(one: Delivery) -> dict[str, Any]:
    return {
        "delivery": one.id,
        "verdict": one.verdict,
        "accepted": one.accepted or 0,
        "failed_records": one.failed_records,
        "words": one.words,
        "frees_at": None,
        "attempts": one.attempts,
        "status": one.status,
        "answer": send.answer_json(one.answer),
    }


def _under_way(delivery: int) -> Reply:
    where = url_for("api.show_delivery", delivery_id=delivery)
    headers = {"Location": where, "Preference-Applied": "respond-async", "Retry-After": "1"}
    return encoder.encode({"delivery": delivery, "at": where}), 202, headers
