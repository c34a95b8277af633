"""Which addresses may be called: by a name, by a number in any of its forms, and asked of the connection."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbound.transport.addresses import (
    NEVER,
    PRIVATE,
    Refused,
    anywhere,
    connection_to,
    for_destinations,
    permitted,
    public_only,
    refuse,
)

METADATA = ["169.254.169.254", "169.254.170.2", "fe80::1", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200"]
METADATA += ["168.63.129.16", "192.0.0.192", "224.0.0.1", "ff02::1", "255.255.255.255"]
INSIDE = ["127.0.0.1", "127.9.9.9", "10.0.0.7", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0", "::", "::1"]
INSIDE += ["fd00::1", "fc00::1"]
OUTSIDE = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"]


def longer(address: IPv4Address) -> list[IPv6Address]:
    """The ways in which IPv6 writes an IPv4 address: mapped, of the gateway, of 6to4."""
    number = int(address)
    return [
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(int(IPv6Address("64:ff9b::")) | number),
        IPv6Address(0x2002 << 112 | number << 80),
    ]


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("address", METADATA)
def test_metadata_and_link_local_are_never_called(address: str, private: bool) -> None:
    assert for_destinations(private=private)(ip_address(address)) == NEVER


@pytest.mark.parametrize("address", INSIDE)
def test_private_addresses_are_called_where_the_setting_allows_them(address: str) -> None:
    assert for_destinations(private=False)(ip_address(address)) == PRIVATE
    assert for_destinations(private=True)(ip_address(address)) == ""


@pytest.mark.parametrize("address", OUTSIDE)
def test_public_addresses_are_called(address: str) -> None:
    assert for_destinations(private=False)(ip_address(address)) == ""


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_the_same_however_it_is_written(address: IPv4Address) -> None:
    for private in (False, True):
        policy = for_destinations(private=private)
        for written in longer(address):
            assert bool(policy(written)) == bool(policy(address)), written


@given(st.sampled_from(["169.254.0.0/16", "fe80::/10", "224.0.0.0/4", "ff00::/8"]), st.integers(0), st.booleans())
def test_no_address_of_a_network_that_is_never_called_is(network: str, place: int, private: bool) -> None:
    whole = ip_network(network)
    assert for_destinations(private=private)(whole[place % whole.num_addresses])


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_what_is_public_by_the_registry_is_the_most_that_is_called_without_the_setting(address) -> None:
    if not for_destinations(private=False)(address):
        stands_for = isinstance(address, IPv6Address) and (address.ipv4_mapped or address.sixtofour)
        assert (stands_for or address).is_global
        assert not for_destinations(private=True)(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "localhost", "0", "2130706433", "0x7f.1", "127.1", "017700000001"]
)
def test_a_host_that_leads_to_this_machine_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(Refused, match=PRIVATE):
        refuse(host, public_only)


def test_a_name_that_leads_nowhere_is_left_to_the_connection() -> None:
    refuse("nobody.invalid", public_only)
    with pytest.raises(socket.gaierror):
        permitted("nobody.invalid", public_only)


def test_of_a_name_with_several_addresses_the_permitted_ones_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", (address, 0)) for address in ("127.0.0.1", "8.8.8.8", "169.254.169.254")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_b: found)
    assert permitted("two.example", public_only) == ["8.8.8.8"]
    assert permitted("two.example", for_destinations(private=True)) == ["127.0.0.1", "8.8.8.8"]


def test_a_connection_is_closed_where_its_other_end_is_another_than_the_name_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The name server changes its mind between the two questions."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        real, asked = socket.getaddrinfo, []

        def rebinding(host: str, *rest, **more):
            asked.append(host)
            return real("8.8.8.8" if len(asked) == 1 else "127.0.0.1", *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        with pytest.raises(Refused, match=PRIVATE):
            connection_to("rebinding.example", port, public_only, 5)
        heard, _ = listening.accept()
        with heard:
            assert heard.recv(1) == b""


def test_a_permitted_connection_is_given() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        connection_to("127.0.0.1", listening.getsockname()[1], anywhere, 5) as made,
    ):
        assert made.getpeername() == listening.getsockname()
