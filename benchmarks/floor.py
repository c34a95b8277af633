"""The floor: the same tables and rows written by the raw driver, one transaction a page, without HTTP or framework.

It is handed the bytes of a body and does what any program would have to do with them: decode, look up, write what
differs, append to the log, commit. It leaves out all that a floor may leave out: replays, order, settling, rejected
members, odd shapes, labels. Its statements give and take rows, as any program's would; on SQLite the relay
has a faster way to read (docs/performance.md).
"""

import zlib
from array import array
from operator import sub
from typing import Any

import msgspec
import xxhash

FIELDS = ("email", "first_name", "last_name", "phone_number")


class Identity(msgspec.Struct):
    mixpanel_distinct_id: str


class PageInfo(msgspec.Struct):
    total_pages: int
    page_count: int


class Parameters(msgspec.Struct):
    mixpanel_project_id: str
    mixpanel_cohort_id: str
    mixpanel_session_id: str
    page_info: PageInfo
    members: list[msgspec.Raw]


class Envelope(msgspec.Struct):
    action: str
    parameters: Parameters


decode_envelope = msgspec.json.Decoder(Envelope).decode
decode_identity = msgspec.json.Decoder(Identity).decode


class Decoded:
    """A body as the floor needs it: ids in order with their raw member and its digest."""

    def __init__(self, body: bytes) -> None:
        envelope = decode_envelope(body)
        self.action = envelope.action
        self.parameters = envelope.parameters
        self.body_digest = xxhash.xxh3_128_digest(body)
        found = {decode_identity(raw).mixpanel_distinct_id: raw for raw in envelope.parameters.members}
        self.members = {key: found[key] for key in sorted(found)}
        self.digests = {key: xxhash.xxh3_64_intdigest(raw) - (1 << 63) for key, raw in self.members.items()}


def profile(raw: msgspec.Raw) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """(the four columns, the properties) of a member."""
    member = msgspec.json.decode(raw)
    del member["mixpanel_distinct_id"]
    return tuple(member.pop(field, None) for field in FIELDS), member


def seen(ids: list[int]) -> bytes:
    ids = sorted(ids)
    return zlib.compress(array("Q", map(sub, ids, [0, *ids])).tobytes(), 1)
