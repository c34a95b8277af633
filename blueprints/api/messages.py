"""Messages and attempts of a subscription, and sending chosen ones again."""

from collections.abc import Sequence
from typing import Any

import msgspec
from flask import Response
from sqlalchemy import Connection, Row

from blueprints.api import blueprint, bodies
from blueprints.api.message_types import (
    AttemptListing,
    AttemptsShown,
    Counted,
    MessageListing,
    MessagesShown,
    Replay,
)
from blueprints.api.query_types import NoQuery
from blueprints.api.registry import operation
from blueprints.api.replies import once, wrong_settings
from blueprints.api.subscriptions import SUBSCRIPTION, find
from blueprints.paging import AFTER_ALL, cut, key_of
from destinations import as_json, messages, replay
from destinations.settings import WrongSettings
from runtime import current_runtime
from security.audit import note
from security.tokens import token_name


@operation(
    blueprint,
    f"{SUBSCRIPTION}/messages",
    summary="A subscription's messages",
    query=MessageListing,
    answer=MessagesShown,
    errors=(404,),
)
def list_messages(query: MessageListing, subscription_id: int) -> MessagesShown:
    """Messages, the newest first: of a state, of a person, or all."""
    place = f"messages of {subscription_id}"
    filters = {"state": query.state or "", "distinct_id": query.distinct_id}
    before = key_of(query.cursor, place, AFTER_ALL)

    def read(db: Connection) -> Sequence[Row[Any]]:
        return messages.listed(db, find(db, subscription_id), **filters, before=before, limit=query.limit + 1)

    rows, following = cut(current_runtime().database.read(read), query.limit, place, lambda row: row.id)
    return msgspec.convert({"data": [as_json.of_message(row) for row in rows], "next": following}, MessagesShown)


@operation(
    blueprint,
    f"{SUBSCRIPTION}/attempts",
    summary="A subscription's calls",
    query=AttemptListing,
    answer=AttemptsShown,
    errors=(404,),
)
def list_attempts(query: AttemptListing, subscription_id: int) -> AttemptsShown:
    """The calls to its destination, the newest first, with what was answered."""
    place = f"attempts of {subscription_id}"
    before = key_of(query.cursor, place, AFTER_ALL)

    def read(db: Connection) -> Sequence[Row[Any]]:
        return messages.attempts(db, find(db, subscription_id), before, query.limit + 1)

    rows, following = cut(current_runtime().database.read(read), query.limit, place, lambda row: row.id)
    return msgspec.convert({"data": [as_json.of_attempt(row) for row in rows], "next": following}, AttemptsShown)


@operation(
    blueprint,
    f"{SUBSCRIPTION}/replay",
    summary="Send messages again",
    takes=Replay,
    answer=Counted,
    errors=(403, 404, 413),
    scope="deliver",
)
def replay_messages(_query: NoQuery, subscription_id: int) -> Response:
    """Let the messages of a state wait again. Repeated after an answer that was not heard, it takes the rest."""
    given, runtime = bodies.read(Replay), current_runtime()
    known = runtime.database.read(lambda db: find(db, subscription_id))
    try:
        if given.count_only:
            return once(Counted(runtime.database.read(lambda db: replay.count(db, known, given.state, given.reason))))
        after = {"state": given.state, "reason": given.reason}
        who = (f"token {token_name()}", "subscription.replay", as_json.subject(known))
        runtime.database.write(lambda db: note(db, runtime.clock(), *who, after=after))
        return once(Counted(replay.replay(runtime.database, known, given.state, given.reason, runtime.clock())))
    except WrongSettings as error:
        return wrong_settings(error)
