"""Whom a page names: the ids that its members claim, without decoding the members any further (S1, S2)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

from sync.contract import identity, json_text
from sync.contract.size_limits import KEPT_OF_A_PAGE


class _Identity(msgspec.Struct):
    """The three spellings of the id (S1)."""

    mixpanel_distinct_id: Any | UnsetType = UNSET
    distinct_id: Any | UnsetType = UNSET
    dollar: Any | UnsetType = msgspec.field(default=UNSET, name="$distinct_id")


_decode_identity = msgspec.json.Decoder(_Identity).decode
_decode_identities = msgspec.json.Decoder(list[_Identity]).decode

_NO_PROFILE = Raw(b"{}")  # what a bare id says about its person: keys that are absent leave what is stored (S3)


class Named(NamedTuple):
    """The good members by id in key order, the last of two equal ids winning, and the rejected ones (S2): the first of
    them, and how many there are."""

    members: dict[str, Raw]
    rejected: list[dict[str, str]]
    rejected_count: int


def members(raws: list[Raw]) -> Named:
    claims = _identities(raws)
    found = _plain(raws, claims)
    if found is not None:
        return Named(found, [], 0)
    found, rejected, count = {}, [], 0
    for raw, claimed in zip(raws, claims, strict=True):
        value = _bare_id(raw) if claimed is None else _first_id(claimed)
        reason = "not_a_member" if claimed is None and value is None else identity.reason_against(value)
        if reason is None:
            found[identity.as_text(value) or ""] = _NO_PROFILE if claimed is None else raw
            continue
        count += 1
        if count <= KEPT_OF_A_PAGE:
            rejected.append({"reason": reason, "value": _shown(value, raw)})
    return Named({key: found[key] for key in sorted(found)}, rejected, count)


def _plain(raws: list[Raw], claims: Sequence[_Identity | None]) -> dict[str, Raw] | None:
    """Return the members of a page on which every id is beyond doubt, as it nearly always is: a few passes in C instead
    of a thousand questions in Python. None where somebody has to look closer."""
    ids: list[Any] = [claimed.mixpanel_distinct_id if claimed is not None else None for claimed in claims]
    try:
        plain = identity.are_plain(ids)
    except TypeError:  # not all of them are text
        return None
    if not plain:
        return None
    found = dict(zip(ids, raws, strict=True))
    return {key: found[key] for key in sorted(found)}


def _identities(raws: list[Raw]) -> Sequence[_Identity | None]:
    """Return the ids that the members claim, all in one go where they are objects; None for what is no object."""
    try:
        return _decode_identities(b"[" + b",".join(raws) + b"]")
    except (msgspec.MsgspecError, RecursionError):
        return [_identity(raw) for raw in raws]


def _identity(raw: Raw) -> _Identity | None:
    try:
        return _decode_identity(raw)
    except (msgspec.MsgspecError, RecursionError):
        return _identity_lenient(raw)


def _identity_lenient(raw: Raw) -> _Identity | None:
    try:
        member = json_text.decode_lenient(bytes(raw))
    except json_text.NotJson:
        return None
    return _Identity(*(member.get(name, UNSET) for name in identity.SPELLINGS)) if isinstance(member, dict) else None


def _bare_id(raw: Raw) -> str | float | None:
    """Return the id where a member is nothing else (S4): text or a number; None where it is neither."""
    try:
        value = json_text.decode_lenient(bytes(raw))
    except json_text.NotJson:
        return None
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _first_id(claimed: _Identity) -> Any:
    """Return the first of the three spellings that holds something; else the first that is there."""
    spellings = (claimed.mixpanel_distinct_id, claimed.distinct_id, claimed.dollar)
    present = [value for value in spellings if value is not UNSET and value is not None]
    filled = [value for value in present if value != ""]
    return (filled or present or [None])[0]


def _shown(value: Any, raw: Raw) -> str:
    """Return the raw value for the operator, as JSON text, bounded."""
    if value is None:
        return bytes(raw).decode()[:1000]
    return json_text.encode(value if isinstance(value, str) else json_text.clean(value))[:1000]
