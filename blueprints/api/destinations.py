"""Destinations: where changes go, and the types that there are."""

from functools import cache

import msgspec
from flask import Response
from msgspec import UNSET
from sqlalchemy import Connection

from blueprints.api import blueprint, bodies
from blueprints.api.destination_types import (
    DestinationDraft,
    DestinationKinds,
    DestinationMade,
    DestinationsShown,
)
from blueprints.api.query_types import NoQuery
from blueprints.api.registry import operation
from blueprints.api.replies import once, wrong_settings
from destinations import as_json, destinations, registry
from destinations.destinations import NewDestination
from destinations.settings import WrongSettings
from runtime import current_runtime
from security.audit import note
from security.tokens import token_name


@operation(blueprint, "/destinations", summary="Destinations", answer=DestinationsShown)
def list_destinations(_query: NoQuery) -> DestinationsShown:
    """Every destination with its settings; secrets are never shown."""
    found = current_runtime().database.read(destinations.listed, one_statement=True)
    return msgspec.convert({"data": [as_json.of_destination(known) for known in found]}, DestinationsShown)


@operation(blueprint, "/destinations/types", summary="Types of destination", answer=DestinationKinds)
def list_destination_types(_query: NoQuery) -> DestinationKinds:
    """Every type that a destination can be of, with its settings."""
    return _described(tuple(registry.TYPES))


@cache
def _described(names: tuple[str, ...]) -> DestinationKinds:
    found = [as_json.of_type(registry.type_of(name)) for name in names]
    return msgspec.convert({"data": found}, DestinationKinds)


@operation(
    blueprint,
    "/destinations",
    summary="Make a destination",
    takes=DestinationDraft,
    answer=DestinationMade,
    errors=(403, 413),
    scope="deliver",
)
def add_destination(_query: NoQuery) -> Response:
    """Make a destination; nothing is sent there before it has a subscription. 400 lists `problems` by field. A secret
    that we make is in the answer, this once."""
    given, runtime = bodies.read(DestinationDraft), current_runtime()
    draft = NewDestination(given.name, given.type, given.settings, given.secrets)

    def write(db: Connection) -> dict[str, str]:
        added = destinations.add(db, runtime.cipher, draft, runtime.clock())
        note(db, runtime.clock(), f"token {token_name()}", "destination.add", draft.name, after={"type": draft.type})
        return added.made

    try:
        made = runtime.database.write(write)
    except WrongSettings as error:
        return wrong_settings(error)
    return once(DestinationMade(given.name, given.type, next(iter(made.values()), UNSET)))
