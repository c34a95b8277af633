"""Profiles (S3): four columns, and every other key a property."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from sync.contract import json_text
from sync.contract.identity import SPELLINGS

FIELDS = ("email", "first_name", "last_name", "phone_number")
_BITS = {field: 1 << place for place, field in enumerate(FIELDS)}
_NAMES = frozenset(FIELDS)
NOT_PROPERTIES = _NAMES | frozenset(SPELLINGS)  # what a member's key of this name is instead
ALL_FIELDS = 15


class Patch(NamedTuple):
    """What one member object says: `named` is a bit mask of FIELDS that it names, whatever their values."""

    named: int
    fields: tuple[str | None, str | None, str | None, str | None]
    properties: dict[str, Any]


class Profile(NamedTuple):
    """What is stored of a person: the four columns and the properties."""

    fields: tuple[str | None, str | None, str | None, str | None]
    properties: dict[str, Any]

    def after(self, patch: Patch) -> "Profile":
        """Apply the patch: keys that the patch names overwrite, keys that it lacks stay."""
        if patch.named == ALL_FIELDS:
            fields = patch.fields
        else:
            email, first, last, phone = (
                new if patch.named & bit else old
                for new, old, bit in zip(patch.fields, self.fields, _BITS.values(), strict=True)
            )
            fields = (email, first, last, phone)
        return Profile(fields, {**self.properties, **patch.properties})


EMPTY = Profile((None, None, None, None), {})


def read(raws: Sequence[msgspec.Raw]) -> list[Patch]:
    """Return the patches that raw member objects mean, in their order."""
    return [_patch(member) for member in _decoded_together(raws)]


def _patch(member: dict[str, Any]) -> Patch:
    for key in SPELLINGS:
        member.pop(key, None)
    named = ALL_FIELDS if member.keys() >= _NAMES else sum(bit for field, bit in _BITS.items() if field in member)
    pop = member.pop
    fields = (pop("email", None), pop("first_name", None), pop("last_name", None), pop("phone_number", None))
    for value in fields:
        if value is not None and type(value) is not str:
            email, first, last, phone = map(_text, fields)
            fields = (email, first, last, phone)
            break
    nested = member.get("customProperties")
    if isinstance(nested, dict):
        del member["customProperties"]
        member.update(nested)
    return Patch(named, fields, member)


def _decoded_together(raws: Sequence[msgspec.Raw]) -> list[dict[str, Any]]:
    """Decode a page's members in one go, where nothing in them can need cleaning: no escapes beyond the plain ones, and
    too few brackets for anybody to be nested too deeply."""
    written = b",".join(raws)
    brackets = written.count(b"[") + written.count(b"{") - len(raws)
    if b"\\u" not in written and brackets < json_text.DEEPEST:
        try:
            members: list[dict[str, Any]] = msgspec.json.decode(b"[" + written + b"]")
        except (msgspec.MsgspecError, RecursionError):
            pass
        else:
            return members
    return [_cleaned(bytes(raw)) for raw in raws]


def _cleaned(written: bytes) -> dict[str, Any]:
    member = _decoded(written)
    if b"\\u" in written or written.count(b"[") + written.count(b"{") > json_text.DEEPEST:
        member = json_text.clean(member)
    return member


def _decoded(raw: bytes) -> dict[str, Any]:
    try:
        member: dict[str, Any] = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        member = _decoded_lenient(raw)
    return member


def _decoded_lenient(raw: bytes) -> dict[str, Any]:
    """Return what a member says that strict readers refuse; nothing where it is nested deeper than any reader bears."""
    try:
        member: dict[str, Any] = json_text.clean(json_text.decode_lenient(raw))
    except json_text.NotJson:
        return {}
    return member


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json_text.encode(value)
