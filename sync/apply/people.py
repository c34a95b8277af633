"""Which of the named people must be written, and how (S3)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
from xxhash import xxh3_64_intdigest

from sync.apply.membership import StoredPerson
from sync.contract import profile
from sync.contract.page import Page
from sync.contract.profile import EMPTY, Patch, Profile


class Change(NamedTuple):
    """A person to insert (`person_id` None) or update: what the page said, and the profile that results."""

    distinct_id: str
    person_id: int | None
    digest: int | None
    patch: Patch
    result: Profile


_SIGN = 1 << 63
NOTHING = Patch(0, EMPTY.fields, {})


def digests(members: Mapping[str, msgspec.Raw]) -> dict[str, int | None]:
    """Return 64 bits of each member object, signed as databases have it, by distinct id."""
    return {distinct_id: xxh3_64_intdigest(raw) - _SIGN for distinct_id, raw in members.items()}


def changes(people: Iterable[StoredPerson], page: Page) -> list[Change]:
    """Return the people whom a page makes or changes, in key order. People whose data stays the same cost no write; but
    of a page that was minimised each new digest is kept, or a field that is dropped in time would come back with every
    refresh."""
    members = page.members
    asked = [person for person in people if person[1] is None or person[2] is not None]
    if not asked:
        return []
    patches = profile.read([members[person[0]] for person in asked])
    found = []
    for (distinct_id, person_id, stored_columns, *_), patch in zip(asked, patches, strict=True):
        if stored_columns is None:
            result = Profile(patch.fields, patch.properties)
        else:
            stored = stored_profile(stored_columns)
            result = stored.after(patch)
            if result == stored and not page.is_minimised:
                continue
        found.append(Change(distinct_id, person_id, xxh3_64_intdigest(members[distinct_id]) - _SIGN, patch, result))
    return found


def strangers(people: Iterable[StoredPerson]) -> list[Change]:
    """Return new people whom only a removal has named: an id and no profile."""
    return [Change(person[0], None, None, NOTHING, EMPTY) for person in people if person[1] is None]


def stored_profile(columns: str) -> Profile:
    """Decode the profile that `Store.read_people` returns: a JSON list of the four columns and the text of the
    properties."""
    email, first, last, phone, properties = msgspec.json.decode(columns)
    return Profile((email, first, last, phone), msgspec.json.decode(properties))
