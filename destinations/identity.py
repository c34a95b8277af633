"""Under which identity a person goes to a destination, and the fields that go along.

An identity is chosen for a subscription and made the same for equal people: an e-mail in small letters, a phone number
as E.164. Whoever has none is parked, whoever has one that cannot be is rejected by us, each with a reason that groups
equal ones.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from msgspec import Struct
from xxhash import xxh3_64_intdigest

from destinations.contract import DestinationType, IdentityKind
from models.profile_choice import ProfileChoice, Way, is_hashed

COLUMNS = ("distinct_id", "email", "first_name", "last_name", "phone_number")  # of a person; all else is a property
PROPERTY = "property:"
LONGEST = 500  # bytes of an identity
_SIGN = 1 << 63
# What the connection keeps that has brought the cohort's newest session; erasures are sessions of none.
BROUGHT_BY = """(SELECT k.keeps FROM connection k WHERE k.id = (
        SELECT y.connection_id FROM sync_session y WHERE y.cohort_id = {} AND y.number > 0
        ORDER BY y.number DESC LIMIT 1))"""


class NoIdentity(Exception):
    """This person cannot be told of; `state` is parked or rejected, and the text the reason."""

    def __init__(self, state: Literal["parked", "rejected"], reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


class Profile(Struct, dict=True):
    """A person as cohorts export them; `properties` is the text of a JSON object."""

    person_id: int
    distinct_id: str
    email: str | None
    first_name: str | None
    last_name: str | None
    phone_number: str | None
    properties: str | None

    @cached_property
    def _decoded(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.properties or "{}")
        return found

    def value(self, name: str) -> Any:
        """Return the value of a column or property, None where there is none."""
        return getattr(self, name) if name in COLUMNS else self._decoded.get(name)

    def fields(self, wanted: Mapping[str, str]) -> dict[str, Any]:
        """Return the fields by their names at the far end; those that the person lacks are None."""
        return {name: self.value(source) for name, source in wanted.items()}


def profile(row: Any) -> Profile:
    """Return the person of a row that has a person's columns."""
    return Profile(
        row.person_id, row.distinct_id, row.email, row.first_name, row.last_name, row.phone_number, row.properties
    )


@dataclass(frozen=True)
class IdentityRule:
    """How a subscription makes an identity: from `source`, as `kind`, phone numbers in the country `country`. `way` is
    what the cohort's connection makes of the source when it arrives."""

    source: str
    kind: IdentityKind
    country: str | None = None
    way: Way = "keep"

    @property
    def missing(self) -> str:
        """Return the reason of those who have none."""
        if self.way == "drop":
            return "identity_is_dropped"
        return f"no_{_NAMES.get(self.source, 'property')}"

    @property
    def is_property(self) -> bool:
        """Tell whether the identity is one of a person's properties."""
        return self.source not in COLUMNS

    def way_of(self, choice: ProfileChoice) -> Way:
        """Return what a connection with this choice makes of the source."""
        return "keep" if self.source == "distinct_id" else choice.way(self.source)

    def of_row(self, row: Any) -> str:
        """Return the identity of the person of a row with a person's columns. Raises NoIdentity."""
        return self.of(profile(row)) if self.is_property else self.made_from(getattr(row, self.source))

    def of(self, person: Profile) -> str:
        """Return a person's identity. Raises NoIdentity."""
        return self.made_from(person.value(self.source))

    def made_from(self, value: Any) -> str:
        """Return the identity that a value makes. Raises NoIdentity."""
        if value is None or (isinstance(value, str) and not value.strip()):
            raise NoIdentity("parked", self.missing)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise NoIdentity("rejected", "identity_is_no_text")
        if is_hashed(value) and self.source != "distinct_id":
            raise NoIdentity("parked", "identity_is_hashed")
        text = str(value).strip()
        if len(text.encode()) > LONGEST:
            raise NoIdentity("rejected", "identity_is_too_long")
        return _email(text) if self.kind == "email" else _phone(text, self.country) if self.kind == "phone" else text


_NAMES = {"distinct_id": "distinct_id", "email": "email", "phone_number": "phone"}


def rule(kind: DestinationType, identity: str, country: str | None = None) -> IdentityRule:
    """Return the rule that a subscription's words stand for. Raises ValueError with a sentence for people."""
    if identity == "email":
        return IdentityRule("email", _allowed(kind, "email"))
    if identity == "phone":
        if country and country not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError("The country of phone numbers is one of two capital letters, such as DE.")
        return IdentityRule("phone_number", _allowed(kind, "phone"), country)
    name = "distinct_id" if identity == "distinct_id" else identity.removeprefix(PROPERTY)
    if identity != "distinct_id" and (not identity.startswith(PROPERTY) or not name):
        raise ValueError("An identity is distinct_id, email, phone or property:NAME.")
    if "any" in kind.identities:
        return IdentityRule(name, "any")
    return IdentityRule(name, kind.identities[0], country)


def lane(identity: str) -> int:
    """Return 64 bits of an identity, signed as databases have it: equal ones share a lane."""
    return xxh3_64_intdigest(identity.encode()) - _SIGN


def _allowed(kind: DestinationType, wanted: IdentityKind) -> IdentityKind:
    if wanted in kind.identities or "any" in kind.identities:
        return wanted
    raise ValueError(f"The type {kind.name} takes no {wanted}: it takes {', '.join(kind.identities)}.")


def _email(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError:
        raise NoIdentity("rejected", "invalid_email") from None


def _phone(text: str, country: str | None) -> str:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        raise NoIdentity("rejected", "invalid_phone") from None
    if not phonenumbers.is_valid_number(number):
        raise NoIdentity("rejected", "invalid_phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
