"""A page without what its connection does not keep, before anything of it is stored."""

import hashlib
from typing import Any

from msgspec import Raw, structs

from models import profile_choice
from models.encryption import Digest
from sync.contract import json_text, profile
from sync.contract.page import Page
from sync.contract.profile import FIELDS, Patch
from sync.minimise.fields import Minimiser

PURPOSE = "page-body"
# Of a rejected member these show its id alone; the others show whatever stood in its place.
SHOWS_AN_ID = frozenset({"blank", "too_long", "nul", "illegal"})


def minimised(page: Page, keeps: str | None, digest: Digest) -> Page:
    """Return the page as its connection keeps it; `keeps` is the connection's column. Ids stay as they are, and so does
    whom the page names."""
    under_key = _under_key(page.digest, digest)
    if keeps is None:
        return structs.replace(page, other_digest=under_key)
    minimiser = Minimiser(profile_choice.of_column(keeps), digest)
    members = page.members if page.is_removal else _members(page.members, minimiser)
    return structs.replace(
        page,
        members=members,
        rejected=without_members(page.rejected),
        digest=under_key,
        other_digest=page.digest,
        is_minimised=True,
    )


def without_members(rejected: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return rejected members with their reasons; what is not an id goes."""
    return [one if one["reason"] in SHOWS_AN_ID else one | {"value": ""} for one in rejected]


def _members(members: dict[str, Raw], minimiser: Minimiser) -> dict[str, Raw]:
    patches = profile.read(list(members.values()))
    return {key: _as_member(minimiser.arriving(patch)) for key, patch in zip(members, patches, strict=True)}


def _as_member(patch: Patch) -> Raw:
    """Return a member object that reads as this patch. Properties whose names mean something else there stand where
    they came from."""
    fields = zip(FIELDS, patch.fields, strict=True)
    member: dict[str, Any] = {name: value for place, (name, value) in enumerate(fields) if patch.named & 1 << place}
    inner = {name: value for name, value in patch.properties.items() if _is_special(name, value)}
    member |= {name: value for name, value in patch.properties.items() if name not in inner}
    if inner:
        member["customProperties"] = inner
    return Raw(json_text.encode(member).encode())


def _is_special(name: str, value: Any) -> bool:
    return name in profile.NOT_PROPERTIES or (name == "customProperties" and isinstance(value, dict))


def _under_key(body_digest: bytes, digest: Digest) -> bytes:
    """Return what knows the body again. Under a key, so that nobody can try out what a page may have said."""
    return hashlib.blake2b(digest(PURPOSE, body_digest).encode(), digest_size=16).digest()
