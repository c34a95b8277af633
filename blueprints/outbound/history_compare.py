"""Two calls of the history beside one another: what differs between them."""

from flask import render_template, request
from sqlalchemy import Connection

from blueprints import urls
from blueprints.outbound import blueprint
from outbound import deliveries
from outbound.deliveries import Delivery
from outbound.delivery_diff import compared
from outbound.operations import registry
from runtime import current_runtime

PAIR = 2


@blueprint.get("/send/history/compare")
def compare_deliveries() -> str:
    """The two calls that are chosen (`?of=1&of=2`); of one call and the one before it."""
    chosen = sorted({number for given in request.args.getlist("of") if (number := urls.key(given))})
    found = current_runtime().database.read(lambda db: _pair(db, chosen))
    if len(found) != PAIR or found[0].operation != found[1].operation:
        return render_template("outbound/history_compare.html", why=_why(found, len(chosen)))
    left, right = found
    operation = registry.find(left.operation)
    name = operation.name if operation else left.operation
    return render_template(
        "outbound/history_compare.html", left=left, right=right, name=name, compared=compared(left, right)
    )


def _pair(db: Connection, chosen: list[int]) -> list[Delivery]:
    found = [call for number in chosen[:PAIR] if (call := deliveries.by_id(db, number))]
    if len(chosen) == 1 and found and (before := deliveries.one_before(db, found[0])):
        return [before, *found]
    return found if len(chosen) <= PAIR else []


def _why(found: list[Delivery], chosen: int) -> str:
    if len(found) == PAIR:
        return "These are two different calls. The filter Call of the history shows those of one kind."
    if chosen == 1 and found:
        return "There is no earlier call of this kind to that project."
    return "Choose two calls of the same kind to compare them."
