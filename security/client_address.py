"""Who calls, as far as an address tells: what limits count by."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from flask import request

NAT64 = IPv6Network("64:ff9b::/96")  # an IPv4 address in its last 32 bits
OWN_BITS = 64  # of an IPv6 address; the other half its owner chooses


def address() -> str:
    """Return the address that calls, as far as TRUSTED_PROXIES lets us believe it."""
    return request.remote_addr or "127.0.0.1"


def caller() -> str:
    """Return what this call counts under, by its address."""
    return network_of(address())


def network_of(given: str) -> str:
    """Return an IPv4 address, however it is written into an IPv6 one; of any other IPv6 address the /64, because
    whoever has one address of it has all of them. What is no address counts as it is."""
    try:
        found = ip_address(given)
    except ValueError:
        return given
    if not isinstance(found, IPv6Address):
        return str(found)
    inside: object = found.ipv4_mapped or found.sixtofour
    if inside is None and found in NAT64:
        inside = IPv4Address(int(found) & 0xFFFFFFFF)
    return str(inside or ip_network((int(found), OWN_BITS), strict=False))
