"""Mixpanel's contract: the body of one webhook call, read into a `Page` (mixpanel-facts.md sections 1.1 and 1.7).

The members stay raw JSON until something is known to have changed: a page of 1,000 unchanged people is decoded no
further than their ids. A body in the documented shape is read in one pass; every other shape that is known to occur
takes the slower way through `_from_any_shape`.
"""

import re
import unicodedata
from typing import Any, TypeVar

import msgspec
import xxhash
from msgspec import UNSET, Raw, UnsetType

from sync.contract import identity, json_text, member_ids, size_limits

T = TypeVar("T")

ACTIONS = ("members", "add_members", "remove_members")
LARGEST_PAGE_NUMBER = 2**31 - 1
_WHOLE = re.compile(r"\+?0*(\d{1,11})(?:\.0*)?", re.ASCII)
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters by their category, and empty to the eye
UNKNOWN_PROJECT = "unknown"


class Refused(Exception):
    """A call that a person must mend (HTTP 400): Mixpanel pauses the sync and shows the message.

    `cause` is a stable word; the message is one plain sentence of at most 300 characters without member data.
    `action`, `project_id` and `cohort_id` are what could be read.
    """

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
        self.action: str | None = None
        self.project_id: str | None = None
        self.cohort_id: str | None = None


class Page(msgspec.Struct, frozen=True):
    """One webhook call, understood.

    `members` maps each distinct id to its raw member object, in key order (writers that share people never deadlock).
    `number` is 1-based; None where the call had no page number. `total` is None where it had no total.
    `rejected` are the first of the rejected members, `rejected_count` is how many there are. `replaced` counts bytes of
    the body that are not UTF-8 (S4). Where `is_minimised`, the connection keeps less than came (`sync.minimise.page`),
    and `digest` is another one; `other_digest` is that which the same body had before somebody changed that.
    """

    action: str
    project_id: str
    cohort_id: str
    name: str | None
    description: str | None
    session_id: str
    number: int | None
    total: int | None
    members: dict[str, Raw]
    rejected: list[dict[str, str]]
    rejected_count: int
    digest: bytes
    replaced: int = 0
    other_digest: bytes | None = None
    is_minimised: bool = False

    @property
    def is_refresh(self) -> bool:
        return self.action == "members"

    @property
    def is_removal(self) -> bool:
        return self.action == "remove_members"

    @property
    def key(self) -> int:
        """Return what makes a page that returns the same page (S7): its number, or a negative one made from its
        body."""
        if self.number is not None:
            return self.number
        return -1 - int.from_bytes(self.digest[:7], "big")


class _PageInfo(msgspec.Struct):
    total_pages: Any = None
    page_count: Any = None


class _Parameters(msgspec.Struct):
    members: list[Raw]
    mixpanel_project_id: Any = None
    mixpanel_cohort_id: Any = None
    mixpanel_cohort_name: Any = None
    mixpanel_cohort_description: Any = None
    mixpanel_session_id: Any = None
    page_info: _PageInfo | None = None


class _Envelope(msgspec.Struct):
    action: Any
    parameters: _Parameters
    members: Raw | UnsetType = UNSET


_NOTHING: tuple[Any, ...] = (None, [])  # inside of parameters: look beside them


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def parse(body: bytes) -> Page:
    """Return the page that `body` says. Raises Refused where a person must act (see DESIGN.md, "Replies")."""
    if cause := size_limits.why_not(body):
        raise _too_many(cause)
    replaced = 0
    try:
        if not body.isascii():
            body.decode()  # or a wrong byte in a raw member would only show when it is too late to refuse the page
        envelope = _decode_envelope(body)
        if envelope.members is not UNSET and not envelope.parameters.members:
            envelope, replaced = _from_any_shape(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        envelope, replaced = _from_any_shape(body)
    try:
        return _understand(envelope, body, replaced)
    except Refused as refusal:
        refusal.action = _echo(envelope.action)
        refusal.project_id = _id_or_none(envelope.parameters.mixpanel_project_id)
        refusal.cohort_id = _id_or_none(envelope.parameters.mixpanel_cohort_id)
        raise


def _understand(envelope: _Envelope, body: bytes, replaced: int) -> Page:
    action, parameters = envelope.action, envelope.parameters
    if not isinstance(action, str) or action not in ACTIONS:
        raise Refused("unknown_action", "action must be members, add_members or remove_members.")
    cohort_id = _id_or_none(parameters.mixpanel_cohort_id)
    if cohort_id is None:
        raise Refused("no_cohort_id", "parameters.mixpanel_cohort_id is missing or cannot be read.")
    number, total = _page_numbers(parameters.page_info, len(parameters.members))
    found = member_ids.members(_few_enough(parameters.members))
    return Page(
        action=action,
        project_id=_id_or_none(parameters.mixpanel_project_id) or UNKNOWN_PROJECT,
        cohort_id=cohort_id,
        name=_label(parameters.mixpanel_cohort_name),
        description=_label(parameters.mixpanel_cohort_description),
        session_id=_session_id(parameters.mixpanel_session_id),
        number=number,
        total=total,
        members=found.members,
        rejected=found.rejected,
        rejected_count=found.rejected_count,
        digest=xxhash.xxh3_128_digest(body),
        replaced=replaced,
    )


def _from_any_shape(body: bytes) -> tuple[_Envelope, int]:
    """Return the envelope, and how many bytes were replaced, of a body in another shape than the documented one (S4):
    one object for `members` or one keyed by numbers, `members` beside `parameters`, a page_info that is no object,
    characters and bytes that strict readers refuse."""
    written, replaced = json_text.text_of(body)
    try:
        document = json_text.decode_lenient(written)
    except json_text.NotJson:
        raise Refused("not_json", "The body is not JSON.") from None
    if not isinstance(document, dict):
        raise Refused("not_an_object", "The body must be a JSON object.")
    parameters = document.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    beside = parameters.get("members") in _NOTHING and document.get("members") is not None
    try:
        members = _few_enough(_listed((document if beside else parameters).get("members")))
    except Refused as refusal:
        refusal.action = _echo(document.get("action"))
        refusal.project_id = _id_or_none(parameters.get("mixpanel_project_id"))
        refusal.cohort_id = _id_or_none(parameters.get("mixpanel_cohort_id"))
        raise
    info = parameters.get("page_info")
    info = info if isinstance(info, dict) else {}
    known: dict[str, Any] = {name: parameters.get(name) for name in _Parameters.__struct_fields__}
    known["members"] = [_raw(member) for member in members]
    known["page_info"] = _PageInfo(info.get("total_pages"), info.get("page_count"))
    return _Envelope(document.get("action"), _Parameters(**known)), replaced


def _few_enough(members: list[T]) -> list[T]:
    if len(members) > size_limits.MOST_MEMBERS:
        raise _too_many("too_many_members")
    return members


def _too_many(cause: str) -> Refused:
    if cause == "too_many_values":
        return Refused(
            cause, f"The page holds more than {size_limits.MOST_VALUES:,} values; send fewer members a page."
        )
    return Refused(cause, f"The page holds more than {size_limits.MOST_MEMBERS:,} members; send fewer a page.")


def _raw(member: Any) -> Raw:
    """Return one member as JSON that strict readers take, but for its ids: they are kept or rejected as they came
    (S2)."""
    if isinstance(member, dict):
        ids = {name: member[name] for name in identity.SPELLINGS if isinstance(member.get(name), str)}
        return Raw(json_text.encode(json_text.clean(member) | ids).encode())
    kept = member if isinstance(member, str) else json_text.clean(member)
    return Raw(json_text.encode(kept).encode())


def _listed(members: Any) -> list[Any]:
    if isinstance(members, list):
        return members
    if isinstance(members, dict):
        return _in_order(members) if members and all(map(_is_place, members)) else [members]
    raise Refused(
        "no_members", "There is no list of members; send an empty list for a cohort or a change without anyone."
    )


def _in_order(members: dict[str, Any]) -> list[Any]:
    """Return the values of an object keyed by numbers, as some libraries write a list with gaps."""
    return [members[place] for place in sorted(members, key=lambda place: (len(place), place))]


def _is_place(key: str) -> bool:
    return key.isascii() and key.isdigit()


def _page_numbers(info: _PageInfo | None, members: int) -> tuple[int | None, int | None]:
    """Return (page number, total pages), both None where the call does not say; raises Refused where they are
    impossible."""
    if info is None or info.total_pages is None or info.page_count is None:
        return None, None
    total, number = _page_number(info.total_pages), _page_number(info.page_count)
    if total == 0 and number in {0, 1} and members == 0:
        return 1, 1  # how an empty export counts is not documented (mixpanel-facts.md section 1.2)
    if total is None or number is None or not 1 <= number <= total <= LARGEST_PAGE_NUMBER:
        raise Refused("impossible_page", _impossible(info))
    return number, total


def _page_number(value: Any) -> int | None:
    """Return a page number, which may arrive as text (S1)."""
    text = identity.as_text(value)
    found = _WHOLE.fullmatch(text.strip()) if text is not None else None
    return int(found[1]) if found else None


def _impossible(info: _PageInfo) -> str:
    number, total = (_shown_number(value) for value in (info.page_count, info.total_pages))
    return f"page_count must be between 1 and total_pages ({total}), got {number}."


def _shown_number(value: Any) -> str:
    """Return a number as it came; whatever else stands in its place could be anything, also a member's data (P30)."""
    text = identity.as_text(value) or ""
    return text if re.fullmatch(r"-?\d{1,20}(\.\d{1,6})?", text, re.ASCII) else "no number"


def _id_or_none(value: Any) -> str | None:
    text = identity.as_text(value)
    text = json_text.clean_text(text).strip() if text is not None else ""
    return text if text and len(text.encode()) <= identity.LONGEST_ID else None


def _session_id(value: Any) -> str:
    """Return Mixpanel's session id, empty where there is none; one too long to index is kept as its digest."""
    text = json_text.clean_text(identity.as_text(value) or "").strip()
    if len(text.encode()) > identity.LONGEST_ID:
        return "long:" + xxhash.xxh3_128_hexdigest(text.encode())
    return text


def _label(value: Any) -> str | None:
    """Return a name or description; None where the call has none, so that the label we know stays."""
    text = identity.as_text(value)
    text = json_text.clean_text(text[:20_000])[:10_000] if text is not None else None
    return text if text is None or any(map(_is_visible, text)) else ""


def _is_visible(character: str) -> bool:
    """Tell whether it can be seen: spaces can't, nor can what only joins, turns or controls others."""
    return unicodedata.category(character)[0] not in "ZC" and character not in _BLANK_LETTERS


def _echo(value: Any) -> str | None:
    return json_text.clean_text(value)[:100] if isinstance(value, str) else None
