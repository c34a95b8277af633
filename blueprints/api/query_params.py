"""The query of a call, read into its type; a wrong one is answered with a sentence that names what is wrong."""

import re
from functools import cache
from typing import Any, TypeVar

import msgspec
from flask import request
from msgspec import Struct

from blueprints.api.replies import Problem
from blueprints.urls import can_be_stored

Query = TypeVar("Query", bound=Struct)

_PLACE = re.compile(r"`\$\.(\w+)`")


def read(query: type[Query]) -> Query:
    """The query of this request. Raises Problem (400)."""
    given = request.args.to_dict(flat=False)
    for name, values in given.items():
        if name not in query.__struct_fields__:
            raise Problem(400, _unknown(query))
        if len(values) > 1:
            raise Problem(400, f"{name} is given more than once.")
        if not can_be_stored(values[0]):
            raise _wrong(query, name)
    try:
        return msgspec.convert({name: values[0] for name, values in given.items()}, query, strict=False)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        raise (_wrong(query, place[1]) if place else Problem(400, "The query cannot be read.")) from None


def _unknown(query: type[Struct]) -> str:
    known = ", ".join(query.__struct_fields__)
    return f"This call takes no other parameters than {known}." if known else "This call takes no parameters."


def _wrong(query: type[Struct], name: str) -> Problem:
    return Problem(400, f"{name} must be {_expectations(query)[name]}.")


@cache
def _expectations(query: type[Struct]) -> dict[str, str]:
    """What each parameter must be, as its type says for people."""
    info: Any = msgspec.inspect.type_info(query)
    return {field.name: field.type.extra["must"] for field in info.fields}
