"""Deliveries: the calls to Mixpanel that were made, whoever made them."""

from typing import Any

from flask import Response
from msgspec import convert

from blueprints.api import blueprint, streaming
from blueprints.api.operations import operation
from blueprints.api.paging import AFTER_ALL, cut, key_of
from blueprints.api.replies import Problem, moment
from blueprints.api.sending_types import (
    DeliveryListing,
    DeliveryType,
    DeliveryTypes,
    FailedRecordType,
    WholeDelivery,
)
from blueprints.api.types import NoQuery
from outbound import deliveries
from outbound.deliveries import Delivery, Filter
from outbound.downloads import rows as downloads
from outbound.send import answer_json
from security.house import house


@operation(blueprint, "/deliveries", summary="Deliveries", query=DeliveryListing, answer=DeliveryTypes)
def list_deliveries(query: DeliveryListing) -> DeliveryTypes:
    """The calls that were made to Mixpanel, the newest first; batches of imports are not among them."""
    before = key_of(query.cursor, "deliveries", AFTER_ALL)
    wanted = Filter(query.project, query.operation, query.verdict)
    found = house().database.read(lambda db: deliveries.search(db, wanted, before, query.limit + 1))
    shown, following = cut(found, query.limit, "deliveries", lambda one: one.id)
    return DeliveryTypes([DeliveryType(**_short(one)) for one in shown], following)


@operation(blueprint, "/deliveries/<int:delivery_id>", summary="One delivery", answer=WholeDelivery, errors=(404,))
def show_delivery(_query: NoQuery, delivery_id: int) -> WholeDelivery:
    """One call: what was sent, how often, and what Mixpanel answered."""
    one = house().database.read(lambda db: deliveries.by_id(db, delivery_id), one_statement=True)
    if one is None:
        raise Problem(404, "There is no such delivery.")
    failed = convert(one.failed_records, list[FailedRecordType])
    return WholeDelivery(
        **_short(one), request=one.request, trail=one.trail, failed_records=failed, answer=answer_json(one.answer)
    )


@operation(
    blueprint,
    "/deliveries/<int:delivery_id>/answer",
    summary="The whole answer of a delivery",
    media_type="application/octet-stream",
    errors=(404,),
)
def download_answer(_query: NoQuery, delivery_id: int) -> Response:
    """All of a long answer, while its file is at hand; `X-Whole: no` where it broke off."""
    one, found = house().database.read(lambda db: (deliveries.by_id(db, delivery_id), downloads.of(db, delivery_id)))
    if one is None:
        raise Problem(404, "There is no such delivery.")
    return streaming.kept(one, found)


def _short(one: Delivery) -> dict[str, Any]:
    found = {name: getattr(one, name) for name in DeliveryType.__struct_fields__}
    return found | {"at": moment(one.at)}
