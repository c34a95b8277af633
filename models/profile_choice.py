"""What a connection keeps of the profiles that arrive: the choice as the column `connection.keeps` has it.

Receiving, relaying and managing connections all read it, so that it stands beside the tables.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

Way = Literal["keep", "drop", "hash"]
WAYS: tuple[Way, ...] = get_args(Way)
MOST_FIELDS = 200  # of a list
LONGEST_FIELD = 255  # characters of a field's name
MOST_DAYS = 3650
MARK = "hashed:"  # what a hashed value begins with; 32 hexadecimal digits follow

_HASHED = re.compile(r"hashed:[0-9a-f]{32}")
_BESIDE = re.compile(r"[^a-z0-9]")
# Names as customers write them, without case and signs: `$email`, `E-Mail` and `email_address` are all there.
_EMAIL = frozenset({"email", "emails", "emailaddress", "emailaddresses", "mail", "mailaddress"})
_PHONE = frozenset(
    {"phone", "phones", "phonenumber", "phonenumbers", "mobile", "mobilephone", "mobilenumber", "mobilephonenumber"}
    | {"cell", "cellphone", "telephone", "telephonenumber", "tel", "msisdn", "whatsapp", "sms"}
)


class WrongChoice(ValueError):
    """The choice cannot be made; the message says why."""


@dataclass(frozen=True)
class ProfileChoice:
    """`keep` are the names of the fields that are kept, None for all. `email` and `phone` are what becomes of fields of
    that kind among them, known by their names and by `email_fields` and `phone_fields`. `days` are fields with the
    days after which a stored value is dropped."""

    keep: tuple[str, ...] | None = None
    email: Way = "keep"
    phone: Way = "keep"
    email_fields: tuple[str, ...] = ()
    phone_fields: tuple[str, ...] = ()
    days: tuple[tuple[str, int], ...] = ()

    def way(self, field: str) -> Way:
        """Return what becomes of a profile's field of this name."""
        if self.keep is not None and field not in self.keep:
            return "drop"
        return self.contact_way(field)

    def contact_way(self, name: str) -> Way:
        """Return what becomes of a value of this name wherever it stands, also inside of another one."""
        kind = self.kind(name)
        return "keep" if kind is None else self.email if kind == "email" else self.phone

    def kind(self, name: str) -> Literal["email", "phone"] | None:
        """Return whether a name says that its value is an e-mail address or a phone number."""
        plain = _plain(name)
        if plain in _EMAIL or name in self.email_fields:
            return "email"
        return "phone" if plain in _PHONE or name in self.phone_fields else None

    def only_days(self) -> "ProfileChoice":
        """Return the part of it that takes effect later."""
        return ProfileChoice(days=self.days)

    def as_json(self) -> dict[str, Any]:
        """Return it as the terminal and the API show it."""
        shown: dict[str, Any] = {"keep": "all" if self.keep is None else list(self.keep)}
        shown |= {"email": self.email, "phone": self.phone}
        shown |= {"email_fields": list(self.email_fields), "phone_fields": list(self.phone_fields)}
        return shown | {"days": dict(self.days)}

    def stored(self) -> str | None:
        """Return the column's text; null is everything, for good."""
        return None if self == EVERYTHING else json.dumps(self.as_json())


EVERYTHING = ProfileChoice()


@lru_cache(4096)
def _plain(name: str) -> str:
    return _BESIDE.sub("", name.lower())


def is_hashed(value: Any) -> bool:
    """Tell whether a stored value stands for another one."""
    return isinstance(value, str) and _HASHED.fullmatch(value) is not None


@lru_cache(256)
def of_column(stored: str | None) -> ProfileChoice:
    """Return the choice that a column holds."""
    return EVERYTHING if stored is None else of_json(json.loads(stored))


def of_json(given: dict[str, Any]) -> ProfileChoice:
    """Return the choice that `as_json` or a caller has written. Raises WrongChoice."""
    keep = given.get("keep", "all")
    ways = [given.get(kind, "keep") for kind in ("email", "phone")]
    if any(way not in WAYS for way in ways):
        raise WrongChoice("What becomes of e-mail and phone is keep, drop or hash.")
    if isinstance(keep, str) and keep not in {"all", "none"}:
        raise WrongChoice("What is kept is all, none, or a list of fields.")
    return ProfileChoice(
        None if keep == "all" else () if keep == "none" else _names(keep),
        ways[0],
        ways[1],
        _names(given.get("email_fields", ())),
        _names(given.get("phone_fields", ())),
        _days(given.get("days", {})),
    )


def days_of(written: str) -> tuple[str, int]:
    """Return the field and the days of `field = days`, as people write it. Raises WrongChoice."""
    name, _, days = written.rpartition("=")
    days = days.strip()
    if not name.strip() or not (days.isascii() and days.isdigit() and len(days) <= len(str(MOST_DAYS))):
        raise WrongChoice("Days are given as FIELD=DAYS, such as phone_number=90.")
    return name.strip(), int(days)


def _names(given: Any) -> tuple[str, ...]:
    names = sorted({_name(one) for one in given})
    if len(names) > MOST_FIELDS:
        raise WrongChoice(f"A list has at most {MOST_FIELDS} fields.")
    return tuple(names)


def _name(given: Any) -> str:
    name = given.strip() if isinstance(given, str) else ""
    if not name or len(name) > LONGEST_FIELD or not name.isprintable():
        raise WrongChoice(f"The name of a field is printable text of 1 to {LONGEST_FIELD} characters.")
    return name


def _days(given: dict[Any, Any]) -> tuple[tuple[str, int], ...]:
    if len(given) > MOST_FIELDS:
        raise WrongChoice(f"A list has at most {MOST_FIELDS} fields.")
    found = {_name(name): days for name, days in given.items()}
    if any(
        isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= MOST_DAYS for days in found.values()
    ):
        raise WrongChoice(f"A field is kept for 1 to {MOST_DAYS} days; one without days, for good.")
    return tuple(sorted(found.items()))
