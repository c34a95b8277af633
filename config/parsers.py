"""How the text of a setting becomes its value, parsed whole. Each raises ValueError where it cannot; its docstring says
what would be right, for whoever wrote the text, or a WrongValue says it."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, urlsplit

from config.key_strength import is_random_enough

MOST_NAMES = 100
LONGEST = 10_000  # characters of a value
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?){0,126}\.?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_EMAIL = re.compile(r"[^@\s<>,]{1,64}@[^@\s<>,]{1,190}")
_RATE = re.compile(r"([0-9]{1,9}) per (second|minute|hour|day)")
_HALF = re.compile(r"[\ud800-\udfff]")  # what stands for a byte that is no UTF-8
_FILE = r"[^\x00-\x1f]{1,4096}"
_REDIS = {
    "db": "[0-9]{1,5}",
    "protocol": "2|3",
    "ssl_cert_reqs": "none|optional|required",
    "ssl_check_hostname": "(?i:true|false)",
    "ssl_ca_certs": _FILE,
    "ssl_certfile": _FILE,
    "ssl_keyfile": _FILE,
}
ON, OFF = frozenset({"on", "true", "yes", "1"}), frozenset({"off", "false", "no", "0"})
_ENCODE = "in a user or password write %23 for #, %2F for /, %3A for :, %3F for ? and %40 for @"


class WrongValue(ValueError):
    """A value that cannot be used; the message says what it is not, and never repeats the value."""


def readable(value: str) -> str:
    """The value, where it is text at all. Raises WrongValue."""
    if len(value) > LONGEST:
        raise WrongValue(f"at most {LONGEST:,} characters long")
    if not value.isascii() and _HALF.search(value):
        raise WrongValue("text in UTF-8")
    if "\0" in value:
        raise WrongValue("text without a NUL")
    return value


def text(value: str) -> str:
    return value.strip()


def whole(minimum: int, maximum: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not _WHOLE.fullmatch(value.strip()) or not minimum <= int(value) <= maximum:
            raise ValueError
        return int(value)

    parse.__doc__ = f"a whole number from {minimum} to {maximum}"
    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.strip().lower() not in choices:
            raise ValueError
        return value.strip().lower()

    parse.__doc__ = "one of " + ", ".join(choices)
    return parse


def flag(value: str) -> bool:
    """on or off (also true or false, yes or no, 1 or 0)"""
    word = value.strip().lower()
    if word not in ON | OFF:
        raise ValueError
    return word in ON


ROLES = ("viewer", "operator", "admin")


def group_roles(value: str) -> dict[str, str]:
    """groups and their roles with commas between them, such as relay-admins=admin, relay-people=viewer"""
    pairs = [pair.rpartition("=") for pair in value.split(",") if pair.strip()]
    found = {group.strip(): role.strip() for group, _, role in pairs}
    if len(found) > MOST_NAMES or not all(group and role in ROLES for group, role in found.items()):
        raise ValueError
    return found


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


def secret_keys(value: str) -> tuple[str, ...]:
    """empty, or earlier keys with commas between them"""
    found = tuple(dict.fromkeys(key.strip() for key in value.split(",") if key.strip()))
    if len(found) > MOST_NAMES:
        raise ValueError
    return found


def url(*schemes: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        value = value.strip()
        if value:
            split(value, schemes)
        return value.rstrip("/")

    parse.__doc__ = _begins(schemes)
    return parse


def split(value: str, schemes: tuple[str, ...]) -> SplitResult:
    """The parts of an address. Raises WrongValue where one cannot be read."""
    if not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise WrongValue(_begins(schemes))
    if re.search(r"[\s\x00-\x1f\x7f]", value):
        raise WrongValue("an address without blanks and control characters")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise WrongValue(f"an address whose host and port can be read: {_ENCODE}") from None
    if parts.fragment or "#" in value:
        raise WrongValue(f"an address without #: {_ENCODE}")
    if port == 0 or parts.netloc.endswith(":") or not is_host(ascii_host(parts.hostname or "")):
        raise WrongValue(f"an address whose host and port can be read: {_ENCODE}")
    return parts


def _begins(schemes: tuple[str, ...]) -> str:
    return "empty, or an address that begins with " + " or ".join(f"{scheme}://" for scheme in schemes)


def public_url(value: str) -> str:
    """The address of the relay, its host as browsers send it. Raises WrongValue."""
    value = value.strip()
    if not value:
        return ""
    parts = split(value, ("http", "https"))
    if parts.username is not None or parts.query or "?" in value:
        raise WrongValue("an address of scheme, host and port alone, such as https://relay.example.com")
    if parts.path.strip("/"):
        raise WrongValue(
            "an address without a path: the relay needs a name, or a port, of its own, such as"
            " https://relay.example.com"
        )
    host = ascii_host(parts.hostname or "")
    return f"{parts.scheme}://{bracketed(host)}{'' if parts.port is None else f':{parts.port}'}"


def redis_url(value: str) -> str:
    """empty, or an address that begins with redis:// or rediss://"""
    value = value.strip()
    if not value:
        return ""
    parts = split(value, ("redis", "rediss"))
    for name, given in parse_qsl(parts.query, keep_blank_values=True):
        is_known = name in _REDIS and (parts.scheme == "rediss" or not name.startswith("ssl_"))
        if not is_known or not re.fullmatch(_REDIS[name], given):
            raise WrongValue(f"an address with no parameters but {', '.join(_REDIS)}, the last ones with rediss://")
    if not re.fullmatch(r"/?(?:[0-9]{1,5})?/?", parts.path):
        raise WrongValue("an address whose database is a number, such as redis://host:6379/0")
    return value.rstrip("/")


def host(value: str) -> str:
    """an address to listen on, such as 127.0.0.1, :: or a name"""
    found = ascii_host(value.strip().removeprefix("[").removesuffix("]"))
    if not is_host(found):
        raise ValueError
    return found


def is_host(name: str) -> bool:
    """Whether it is an address in numbers, or could be a name."""
    try:
        ip_address(name)
    except ValueError:
        return bool(_HOST.fullmatch(name)) and len(name) <= 253  # noqa: PLR2004 - characters of a name
    return True


def ascii_host(name: str) -> str:
    """The name in lower case, and as browsers write it where it has letters beyond ASCII. Raises ValueError."""
    try:
        return name.lower() if name.isascii() else name.encode("idna").decode().lower()
    except UnicodeError:
        raise WrongValue("an address whose host can be read") from None


def bracketed(name: str) -> str:
    """A host as an address writes it."""
    return f"[{name}]" if ":" in name else name


def emails(value: str) -> str:
    """empty, or e-mail addresses with commas between them"""
    found = [name.strip() for name in value.split(",") if name.strip()]
    if len(found) > MOST_NAMES or not all(_EMAIL.fullmatch(address) for address in found):
        raise ValueError
    return ", ".join(found)


def names(value: str) -> str:
    """empty, *, or names of hosts with commas between them"""
    found = [ascii_host(name.strip()) for name in value.split(",") if name.strip()]
    if len(found) > MOST_NAMES or not all(name == "*" or is_host(name) for name in found):
        raise ValueError
    return ", ".join(found)


def rate(value: str) -> str:
    """a rate such as "30 per minute" """
    found = _RATE.fullmatch(value.strip())
    if found is None or int(found[1]) == 0:
        raise ValueError
    return f"{int(found[1])} per {found[2]}"
