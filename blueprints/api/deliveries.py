"""Deliveries: the calls to Mixpanel that were made, whoever made them."""

from typing import Any, Literal

from flask import Response, url_for
from msgspec import convert

from blueprints import long_answers
from blueprints.api import blueprint, streaming
from blueprints.api.query_types import NoQuery
from blueprints.api.registry import operation
from blueprints.api.replies import Problem
from blueprints.api.sending_types import (
    DeliveryListing,
    DeliveryType,
    DeliveryTypes,
    FailedRecordType,
    LongAnswer,
    UnderWay,
    WholeDelivery,
)
from blueprints.json_types import moment
from blueprints.paging import AFTER_ALL, cut, key_of
from outbound import deliveries
from outbound.deliveries import Delivery, Filter
from outbound.downloads import progress as downloads
from outbound.downloads.progress import Download
from outbound.send import answer_json
from runtime import current_runtime
from security.tokens import token_name


@operation(blueprint, "/deliveries", summary="Deliveries", query=DeliveryListing, answer=DeliveryTypes)
def list_deliveries(query: DeliveryListing) -> DeliveryTypes:
    """The calls that were made to Mixpanel, the newest first; batches of imports are not among them."""
    before = key_of(query.cursor, "deliveries", AFTER_ALL)
    wanted = Filter(query.project, query.operation, query.verdict)
    found = current_runtime().database.read(lambda db: deliveries.search(db, wanted, before, query.limit + 1))
    shown, following = cut(found, query.limit, "deliveries", lambda delivery: delivery.id)
    return DeliveryTypes([DeliveryType(**_short(delivery)) for delivery in shown], following)


@operation(blueprint, "/deliveries/<int:delivery_id>", summary="One delivery", answer=WholeDelivery, errors=(404,))
def show_delivery(_query: NoQuery, delivery_id: int) -> WholeDelivery:
    """One call: what was sent, how often, and what Mixpanel answered."""
    delivery, found = _known(delivery_id)
    failed = convert(delivery.failed_records, list[FailedRecordType])
    return WholeDelivery(
        **_short(delivery),
        request=delivery.request,
        trail=delivery.trail,
        failed_records=failed,
        answer=answer_json(delivery.answer),
        long_answer=None if found is None else _long(found),
    )


def _known(delivery_id: int) -> tuple[Delivery, Download | None]:
    """Raises Problem (404)."""
    delivery, found = current_runtime().database.read(
        lambda db: (deliveries.by_id(db, delivery_id), downloads.of(db, delivery_id))
    )
    if delivery is None:
        raise Problem(404, "There is no such delivery.")
    return delivery, found


def _long(found: Download) -> LongAnswer:
    is_at_hand = found.state is not None and long_answers.is_at_hand(found)
    state = None if found.state is None else convert(found.state, Literal["whole", "broken", "cancelled"])
    return LongAnswer(found.size, found.records, state, found.cancelled_at is not None, is_at_hand)


@operation(
    blueprint,
    "/deliveries/<int:delivery_id>/cancel",
    summary="Take no more of an answer",
    answer=UnderWay,
    errors=(403, 404, 409),
    scope="send",
    method="POST",
)
def cancel_delivery(_query: NoQuery, delivery_id: int) -> UnderWay:
    """Stop taking a long answer; what came of it stays. 409 where the call has ended."""
    delivery, _ = _known(delivery_id)
    if not long_answers.cancel(delivery, f"token {token_name()}"):
        raise Problem(409, "The call has ended, so that there is nothing to cancel.")
    return UnderWay(delivery.id, url_for("api.show_delivery", delivery_id=delivery.id))


@operation(
    blueprint,
    "/deliveries/<int:delivery_id>/answer",
    summary="The whole answer of a delivery",
    media_type="application/octet-stream",
    errors=(404,),
)
def download_answer(_query: NoQuery, delivery_id: int) -> Response:
    """All of a long answer, while its file is at hand; `X-Whole: no` where it broke off."""
    return streaming.kept(*_known(delivery_id))


def _short(delivery: Delivery) -> dict[str, Any]:
    found = {name: getattr(delivery, name) for name in DeliveryType.__struct_fields__}
    return found | {"at": moment(delivery.at)}
