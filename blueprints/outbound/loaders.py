"""What the id in a page's address stands for."""

from flask import abort

from blueprints.urls import can_be_stored
from outbound import deliveries
from outbound.deliveries import Delivery
from runtime import current_runtime


def delivery_of(delivery_id: int) -> Delivery:
    """The call of a page. Answers 404 where there is none."""
    if not can_be_stored(delivery_id):
        abort(404)
    found = current_runtime().database.read(lambda db: deliveries.by_id(db, delivery_id), one_statement=True)
    return found or abort(404)
