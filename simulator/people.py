"""Believable people who do not exist: the same seed and number always make the same person.

A person is a number until a page needs the member object, so that a cohort of millions is a set of numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

Member = dict[str, Any]

FIRST_NAMES = (
    "Ada", "Amina", "Anders", "Beatriz", "Bruno", "Carla", "Chen", "Dalia", "Diego", "Elif", "Emil", "Fatou",
    "Felix", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jonas", "Julia", "Kenji", "Lena", "Luca", "Maya", "Mateo",
    "Mei", "Nadia", "Noah", "Olga", "Omar", "Priya", "Quinn", "Rosa", "Sami", "Sofia", "Tariq", "Tove", "Uma",
    "Viktor", "Yara",
)  # fmt: skip
LAST_NAMES = (
    "Abara", "Adler", "Almeida", "Baker", "Bergman", "Castillo", "Costa", "Dahl", "Demir", "Eriksen", "Farouk",
    "Fischer", "Garcia", "Haddad", "Hansen", "Ito", "Jensen", "Kaplan", "Keller", "Kowalski", "Laurent",
    "Lindqvist", "Moreau", "Murphy", "Nakamura", "Novak", "Okafor", "Park", "Petrov", "Ramos", "Rossi", "Sato",
    "Silva", "Singh", "Tanaka", "Vega", "Walker", "Weber", "Yilmaz", "Zhang",
)  # fmt: skip
DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "team.example.org")
COUNTRIES = ("US", "US", "US", "DE", "GB", "FR", "BR", "IN", "JP", "CA", "ES", "NL", "SE", "PL", "MX", "AU")
PLANS = ("free", "free", "free", "trial", "starter", "pro", "pro", "business")
SEATS = {"free": 1, "trial": 5, "starter": 5, "pro": 25, "business": 250}  # the most seats of a plan
NEWEST_SIGN_UP = date(2025, 6, 1)


@dataclass
class Population:
    """The people of one project: those `known` already, then `size` more that the seed makes.

    `changed` holds properties that have changed since, by number.
    """

    seed: str
    size: int
    known: Sequence[Member] = ()
    newest_sign_up: date = NEWEST_SIGN_UP
    changed: dict[int, Member] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.known) + self.size

    def distinct_id(self, number: int) -> str:
        if number < len(self.known):
            return str(self.known[number]["mixpanel_distinct_id"])
        return str(UUID(bytes=self._dice(number)[:16], version=4))

    def member(self, number: int) -> Member:
        """Return the member object as Mixpanel exports it."""
        if number < len(self.known):
            return dict(self.known[number])
        return self._made(number)

    def _dice(self, number: int) -> bytes:
        return blake2b(f"{self.seed}:{number}".encode(), digest_size=32).digest()

    def _made(self, number: int) -> Member:
        dice = self._dice(number)
        first, last = FIRST_NAMES[dice[16] % len(FIRST_NAMES)], LAST_NAMES[dice[17] % len(LAST_NAMES)]
        changed = self.changed.get(number, {})
        plan = changed.get("plan", PLANS[dice[18] % len(PLANS)])
        member = {
            "mixpanel_distinct_id": self.distinct_id(number),
            "first_name": first,
            "last_name": last,
            "plan": plan,
            "country": COUNTRIES[dice[19] % len(COUNTRIES)],
            "signed_up": (self.newest_sign_up - timedelta(days=dice[20] * 3 + dice[21] % 3)).isoformat(),
            "seats": 1 + dice[22] % SEATS[plan],
        }
        if dice[23] % 20:  # Mixpanel knows no address of everyone
            member["email"] = f"{first}.{last}{number}@{DOMAINS[dice[24] % len(DOMAINS)]}".lower()
        if dice[25] % 2:
            member["phone_number"] = f"+1202555{100 + dice[26] % 100:04d}"  # numbers that are kept for fiction
        return member | changed
