"""Who calls, and how much of a process one caller may have at once.

A caller is a connection or a token, known by the credentials it sends where those are looked at before anything else;
everybody else is an address. Nobody has more than half of the turns, or more than a few calls open, so that no caller's
heavy or half-sent calls are another's outage.
"""

import base64
from collections.abc import Mapping
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

OPEN = 64  # calls of one caller at once, those that wait included
STRANGERS = 128  # calls at once of everybody who is known by an address alone; below the threads that wait for bodies
PATIENCE = 5.0  # seconds that a call waits for its caller's share; below the ten that Mixpanel waits
MACHINES = ("/webhooks/", "/v1/", "/api/")  # where a call without the right credentials is refused from its head
TOKENS = "/api/"  # of these, where it is a token


class Caller:
    """One caller with its open calls, and its `share` of the turns."""

    def __init__(self, name: str, share: int) -> None:
        self.name = name
        self.open = 0
        self._share: SimpleQueue[None] = SimpleQueue()
        for _ in range(share):
            self.give()

    def take(self) -> None:
        self._share.get()

    def take_in_time(self) -> bool:
        """Whether a turn of its share came free in time, and is taken."""
        try:
            self._share.get(timeout=PATIENCE)
        except Empty:
            return False
        return True

    def give(self) -> None:
        self._share.put(None)


class Callers:
    """Everybody who has a call open, in a process of `turns` behind `proxies` that are trusted."""

    def __init__(self, turns: int, proxies: int) -> None:
        self._share = max(1, turns // 2)
        self._proxies = proxies
        self._known: dict[str, Caller] = {}
        self._strangers = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._known)

    def enter(self, environ: Mapping[str, Any]) -> tuple[Caller, bool]:
        """Whose call this is, and whether it may be worked on: False where there are too many. Ends with `leave`."""
        name = who(environ, self._proxies)
        is_stranger = _is_stranger(name)
        with self._lock:
            caller = self._known.get(name)
            if caller is None:
                caller = self._known[name] = Caller(name, self._share)
            caller.open += 1
            self._strangers += is_stranger
            return caller, caller.open <= OPEN and not (is_stranger and self._strangers > STRANGERS)

    def leave(self, caller: Caller) -> None:
        with self._lock:
            caller.open -= 1
            self._strangers -= _is_stranger(caller.name)
            if not caller.open:
                del self._known[caller.name]


def who(environ: Mapping[str, Any], proxies: int) -> str:
    """The name under which a call is counted: its credentials where they are looked at first, else its address."""
    credentials = _credentials(environ.get("PATH_INFO", ""), environ.get("HTTP_AUTHORIZATION", ""))
    if credentials:
        return f"credentials {blake2b(credentials, digest_size=16).hexdigest()}"
    return f"address {_network(_address(environ, proxies))}"


def _credentials(path: str, header: str) -> bytes:
    """What the guard reads out of the header, however it is spelled there; nothing where it reads none. Name and
    password of a connection together: whoever knows a name alone takes nothing of its share."""
    if not path.startswith(MACHINES):
        return b""
    given = header.partition(" ")[2]
    if path.startswith(TOKENS):
        return given.strip(" \t").encode()
    try:
        found = base64.b64decode(given.encode())
    except ValueError:
        return b""
    return found if b":" in found else b""


def _is_stranger(name: str) -> bool:
    return name.startswith("address ")


def _address(environ: Mapping[str, Any], proxies: int) -> str:
    """The client's, as the proxy says it that we trust; the proxy's own where it says too little."""
    named = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
    return str(named[-proxies].strip() if 0 < proxies <= len(named) else environ.get("REMOTE_ADDR", ""))


def _network(address: str) -> str:
    """A whole /64 of IPv6 is one caller: whoever has one address of it has them all."""
    if ":" not in address:
        return address
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or found.exploded[:19])
    return str(found)
