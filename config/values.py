"""How the text of a setting becomes its value. Each raises ValueError where it cannot; its docstring says what would be
right, for whoever wrote the text."""

import re
from collections.abc import Callable

from config.randomness import is_random_enough

MOST_NAMES = 100
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,252}[a-z0-9_])?\.?")


class WrongValue(ValueError):
    """A value that cannot be used; the message says what it is not, and never repeats the value."""


def text(value: str) -> str:
    return value.strip()


def whole(minimum: int, maximum: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = int(value)
        if not minimum <= number <= maximum:
            raise ValueError
        return number

    parse.__doc__ = f"a whole number from {minimum} to {maximum}"
    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.strip().lower() not in choices:
            raise ValueError
        return value.strip().lower()

    parse.__doc__ = "one of " + ", ".join(choices)
    return parse


def secret_key(value: str) -> str:
    """empty, or 32 random bytes as text"""
    value = value.strip()
    if value and not is_random_enough(value):
        raise WrongValue(
            "a key that nobody finds by trying: 32 random bytes as text. Make one with python3 -c 'import secrets;"
            " print(secrets.token_hex(32))'. What was stored under another key is void with it: flask secret-key"
            " accept, after the change, says what that is"
        )
    return value


def url(*schemes: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        value = value.strip()
        if value and not re.match(f"({'|'.join(schemes)})://", value):
            raise ValueError
        return value.rstrip("/")

    parse.__doc__ = "empty, or an address that begins with " + " or ".join(f"{scheme}://" for scheme in schemes)
    return parse


def emails(value: str) -> str:
    """empty, or e-mail addresses with commas between them"""
    found = [one.strip() for one in value.split(",") if one.strip()]
    if not all(re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", one) for one in found):
        raise ValueError
    return ", ".join(found)


def names(value: str) -> str:
    """empty, *, or names of hosts with commas between them"""
    found = [one.strip().lower() for one in value.split(",") if one.strip()]
    if len(found) > MOST_NAMES or not all(one == "*" or _NAME.fullmatch(one) for one in found):
        raise ValueError
    return ", ".join(found)


def rate(value: str) -> str:
    """a rate such as "30 per minute" """
    if not re.fullmatch(r"\d+ per (second|minute|hour|day)", value.strip()):
        raise ValueError
    return value.strip()
