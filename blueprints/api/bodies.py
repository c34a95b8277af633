"""The JSON body of a call, read into its type; a wrong one is answered with a sentence that names what is wrong."""

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from flask import request
from msgspec import Struct

from blueprints.api.replies import Problem
from blueprints.json_types import encoder
from models.columns import is_storable
from outbound import json_depth
from security.forms import body

Body = TypeVar("Body", bound=Struct)

LARGEST = 100_000  # bytes


def read(kind: type[Body], *, may_be_empty: bool = False) -> Body:
    """The body of this request. Raises Problem (400) and RequestEntityTooLarge."""
    request.max_content_length = LARGEST
    typed = body(kept=False) or (b"{}" if may_be_empty else b"")
    try:
        found = msgspec.json.decode(typed, type=kind)
        plain = msgspec.to_builtins(found)
        if json_depth.holds_too_deep([plain]):
            raise Problem(400, json_depth.TOO_DEEP)
        encoder.encode(found)  # half a character (a lone surrogate) can neither be kept nor sent on
    except RecursionError:
        raise Problem(400, json_depth.TOO_DEEP) from None
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeEncodeError) as error:
        raise Problem(400, f"The body cannot be used: {plainly(error)}.") from None
    if not all(map(is_storable, _texts(plain))):
        raise Problem(400, "The body holds a character that no database can keep.")
    return found


def plainly(error: Exception) -> str:
    """What a decoder says, as a part of a sentence."""
    return str(error).rstrip(".").replace("`", "")


def _texts(value: Any) -> Iterator[str]:
    """Every text in it, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, held in value.items():
            yield name
            yield from _texts(held)
    elif isinstance(value, list):
        for held in value:
            yield from _texts(held)
