"""What is left of one profile under a connection's choice. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Literal

from models.encryption import Digest
from models.profile_choice import MARK, ProfileChoice, Way, is_hashed
from sync.contract.profile import FIELDS, Patch, Profile

PURPOSE = "profile-"  # and email or phone: equal values of two kinds have nothing in common
_BESIDE = re.compile(r"[^0-9+]|(?<!^)\+")
_TRUNK = re.compile(r"\(0\)")
_NAMED = {field: 1 << place for place, field in enumerate(FIELDS)}

Contact = Literal["email", "phone"]


class Minimiser:
    """Applies a choice. `digest` is under the relay's SECRET_KEY: equal values stay equal, and nobody without the key
    can try values out."""

    def __init__(self, choice: ProfileChoice, digest: Digest) -> None:
        self.choice, self._digest = choice, digest
        self._looks_inside = choice.email != "keep" or choice.phone != "keep"
        self._ways: dict[str, Way] = {}  # by field: a thousand members have the same ones

    def arriving(self, patch: Patch) -> Patch:
        """Return what a member object says once the rest is left out: a dropped field is one that it does not name."""
        named, kept = 0, []
        for field, value in zip(FIELDS, patch.fields, strict=True):
            way = self._way(field)
            named |= 0 if way == "drop" else patch.named & _NAMED[field]
            kept.append(self._value(way, field, value, again=True))
        email, first, last, phone = kept
        return Patch(named, (email, first, last, phone), self._properties(patch.properties, again=True))

    def stored(self, profile: Profile, age: int) -> Profile:
        """Return what stays of a stored profile that was written `age` days ago. What is hashed already stays as it
        is."""
        over = {field for field, days in self.choice.days if age >= days}
        email, first, last, phone = (
            None if field in over else self._value(self._way(field), field, value, again=False)
            for field, value in zip(FIELDS, profile.fields, strict=True)
        )
        left = {name: value for name, value in profile.properties.items() if name not in over}
        return Profile((email, first, last, phone), self._properties(left, again=False))

    def _properties(self, properties: Mapping[str, Any], *, again: bool) -> dict[str, Any]:
        ways = ((name, value, self._way(name)) for name, value in properties.items())
        return {name: self._value(way, name, value, again=again) for name, value, way in ways if way != "drop"}

    def _way(self, field: str) -> Way:
        if field not in self._ways:
            self._ways[field] = self.choice.way(field)
        return self._ways[field]

    def _value(self, way: Way, name: str, value: Any, *, again: bool) -> Any:
        """Return what becomes of a value; `again` says that what looks hashed is hashed nonetheless, because whoever
        sends it may have written that."""
        if way == "drop":
            return None
        if way == "hash":
            return self._hashed(self.choice.kind(name) or "email", value, again=again)
        return self._inside(value, again=again) if self._looks_inside and isinstance(value, dict | list) else value

    def _inside(self, value: Any, *, again: bool) -> Any:
        """Return a list or object without the contacts that lie in it."""
        if isinstance(value, list):
            return [self._inside(item, again=again) for item in value]
        if not isinstance(value, dict):
            return value
        ways = ((name, item, self.choice.contact_way(name)) for name, item in value.items())
        return {name: self._value(way, name, item, again=again) for name, item, way in ways if way != "drop"}

    def _hashed(self, kind: Contact, value: Any, *, again: bool) -> Any:
        if isinstance(value, list):
            return [self._hashed(kind, item, again=again) for item in value]
        if isinstance(value, dict):
            return {name: self._hashed(kind, item, again=again) for name, item in value.items()}
        if value is None or isinstance(value, bool) or (not again and is_hashed(value)):
            return value
        text = normal(kind, str(value))
        return MARK + self._digest(PURPOSE + kind, text.encode("utf-8", "replace"))[:32] if text else ""


def normal(kind: Contact, text: str) -> str:
    """Return the form in which equal addresses or numbers are equal: small letters, or digits behind a plus."""
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if kind == "email":
        return plain
    digits = _BESIDE.sub("", _TRUNK.sub("", plain))
    digits = "+" + digits[2:] if digits.startswith("00") else digits
    return digits if any(map(str.isdigit, digits)) else plain
