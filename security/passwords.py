"""Passwords that people choose: which ones are taken, and how they are kept.

Kept as scrypt hashes with the parameters that OWASP asks for. One takes 128 MB and a third of a second, so that only
`AT_ONCE` of them are computed at a time in a process. Older hashes verify, and become new ones at the next sign-in.
"""

import re
from threading import BoundedSemaphore

from werkzeug.security import check_password_hash, generate_password_hash

SHORTEST = 12
LONGEST = 1000
AT_ONCE = 2
METHOD = "scrypt:131072:8:1"
LEAST_GUESSES = 10**9  # that whoever guesses cleverly needs; the limits let through some hundred a day
BETTER = "Some words that do not belong together are better."
LEAST_BESIDE = 8  # characters beside one's own e-mail
WHY = {
    "passwords": "it is among the passwords that leaked elsewhere",
    "user_inputs": "it is made of your e-mail, or of our own name",
    "spatial": "its keys lie beside one another",
    "sequence": "its characters follow one another",
    "date": "it holds a date",
}
OUR_NAMES = ("cohort", "relay", "mixpanel")
_LOOKED_AT = 72  # characters; more make a password no weaker, and the search for patterns slower
# Compared with where there is no such operator, so that the time of an answer does not tell. No password has this hash.
NOBODY = f"{METHOD}$nobody${'0' * 128}"

_places = BoundedSemaphore(AT_ONCE)


class Weak(ValueError):
    """A password that is not taken; the message says why."""


def hashed(password: str, email: str = "") -> str:
    """Return the password's hash. Raises Weak. Slow by intent: not for a transaction."""
    check(password, email)
    return made(password)


def made(password: str) -> str:
    """Return the hash of a password that was taken earlier, whatever is thought of it today."""
    with _places:
        return generate_password_hash(password[:LONGEST], METHOD)


def belongs(kept: str | None, password: str) -> bool:
    """Tell whether this is the password of that hash. Takes as long where there is none, and at least as long where the
    hash is an older one."""
    with _places:
        matches = check_password_hash(kept or NOBODY, password[:LONGEST])
        if kept is not None and is_old(kept):
            check_password_hash(NOBODY, password[:LONGEST])
    return matches and kept is not None


def is_old(kept: str) -> bool:
    return not kept.startswith(f"{METHOD}$")


def check(password: str, email: str = "") -> None:
    """Raises Weak where it is too short or too long, or is found within few guesses: what leaked elsewhere, repeats,
    rows of keys, the own e-mail."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Weak(f"A password has at least {SHORTEST} characters, and at most {LONGEST:,}.")
    if not password.strip():
        raise Weak("This is nothing but blanks.")
    if _repeats_itself(password):
        raise Weak(f"This is easily guessed: it repeats itself. {BETTER}")
    if _is_made_of(email, password):
        raise Weak(f"This is easily guessed: it is made of your e-mail. {BETTER}")
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its lists take a fifth of a second that no other process should pay

    known = [email, *email.replace("@", ".").split("."), *OUR_NAMES]
    found = zxcvbn(password[:_LOOKED_AT], user_inputs=[word for word in known if word])
    if found["guesses"] < LEAST_GUESSES:
        raise Weak(f"This is easily guessed{_why(found)}. {BETTER}")


def _repeats_itself(password: str) -> bool:
    """Tell whether it is one part twice or more often, the last time perhaps cut short."""
    return any(password.startswith(password[part:]) for part in range(1, len(password) // 2 + 1))


def _is_made_of(email: str, password: str) -> bool:
    """Tell whether little is left beside the parts of this e-mail."""
    left = password.lower()
    for part in sorted(re.findall(r"\w{3,}", email.lower()), key=len, reverse=True):
        left = left.replace(part, "")
    return left != password.lower() and len(left) < LEAST_BESIDE


def _why(found: dict[str, list[dict[str, object]]]) -> str:
    said = {str(item.get("dictionary_name") or item["pattern"]) for item in found["sequence"]}
    return next((f": {why}" for name, why in WHY.items() if name in said), "")
