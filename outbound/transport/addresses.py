"""Which addresses of a network may be called, asked of the connection itself.

A name is looked up before a connection is made, so that one which leads nowhere else is refused without a handshake,
and again by the connection. What counts is the second: its other end is looked at before anything is said, so that no
answer of a name server can differ from the one that was checked.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address
# Returns why an address must not be called, nothing where it may be.
Policy = Callable[[Address], str]

PRIVATE = "a private address"
NEVER = "a link-local or metadata address, which is never called"
# Where clouds hand out the credentials of a machine, and what reaches only the same cable.
_NEVER = tuple(
    ip_network(network)
    for network in (
        *("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "fd20:ce::254/128"),  # everybody's; Amazon's, Google's
        *("100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"),  # Alibaba's, Azure's, Oracle's
        *("224.0.0.0/4", "ff00::/8", "255.255.255.255/32"),  # many at once
    )
)
_GATEWAY = ip_network("64:ff9b::/96")  # whose last 32 bits are the IPv4 address that it calls for us


class Refused(OSError):
    """The policy does not let this address be called; nothing was sent. Its text says why, without the address."""


def anywhere(_address: Address) -> str:
    """Let everything be called: what stands in for Mixpanel in tests."""
    return ""


def public_only(address: Address) -> str:
    """Let the open internet be called and nothing else."""
    return "" if all(form.is_global for form in _forms(address)) else PRIVATE


def not_metadata(address: Address) -> str:
    """Let everything be called but what is never called."""
    return NEVER if any(form in network for form in _forms(address) for network in _NEVER) else ""


def for_destinations(*, private: bool) -> Policy:
    """Return the policy of destinations; `private` is ALLOW_PRIVATE_DESTINATIONS."""
    return not_metadata if private else lambda address: not_metadata(address) or public_only(address)


def _forms(address: Address) -> Iterator[Address]:
    """Yield an address, and the IPv4 address that it stands for where this machine or a gateway translates it."""
    if isinstance(address, IPv4Address):
        yield address
        return
    # Else it is that address, written longer; of the 6to4 ones Python's versions say different things.
    if address.ipv4_mapped is None and address.sixtofour is None:
        yield address
    if address in _GATEWAY:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    yield from filter(None, (address.ipv4_mapped, address.sixtofour))


def refuse(host: str, policy: Policy) -> None:
    """Raise Refused where a name leads only to what must not be called; one that leads nowhere is not known here."""
    found: list[str] = []
    with suppress(OSError, UnicodeError):
        found = resolved(host)
    reasons = [policy(ip_address(address)) for address in found]
    if reasons and all(reasons):
        raise Refused(reasons[0])


def permitted(host: str, policy: Policy) -> list[str]:
    """Return the addresses of a name that may be called, for a driver that is told which one to take. Raises Refused,
    and OSError where the name is not known."""
    refuse(host, policy)
    return [address for address in resolved(host) if not policy(ip_address(address))]


def resolved(host: str) -> list[str]:
    """Return every address that a name has. Raises OSError or UnicodeError."""
    found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def hold(connected: socket.socket, policy: Policy) -> None:
    """Close a connection whose other end must not be called, and raise Refused."""
    reason = policy(ip_address(connected.getpeername()[0].partition("%")[0]))
    if reason:
        connected.close()
        raise Refused(reason)


def connection_to(host: str, port: int, policy: Policy, seconds: float) -> socket.socket:
    """Return a connection whose other end was looked at. Raises Refused, and OSError where none comes about."""
    refuse(host, policy)
    connected = socket.create_connection((host, port), seconds)
    hold(connected, policy)
    return connected
