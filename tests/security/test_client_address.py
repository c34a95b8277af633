"""Who counts as one caller, whatever addresses they call from."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.client_address import network_of
from tests.conftest import MakeRelay
from tests.dashboard.test_sign_in import token
from tests.relay import basic

addresses = st.ip_addresses(v=4)


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_all_addresses_of_a_64_are_one_caller(address: IPv6Address, ours: int) -> None:
    other = IPv6Address(int(address) >> 64 << 64 | ours)
    if address.ipv4_mapped is None and other.ipv4_mapped is None and int(address) >> 64 != 0x64_FF9B << 32:
        assert network_of(str(address)) == network_of(str(other))


@given(st.ip_addresses(v=6, network="2000::/4"))
def test_the_next_64_is_another_caller(address: IPv6Address) -> None:
    if not address.sixtofour:
        assert network_of(str(address)) != network_of(str(IPv6Address(int(address) ^ 1 << 64)))


@given(addresses)
def test_an_ipv4_address_is_the_same_caller_however_it_is_written(address: IPv4Address) -> None:
    for written in (
        f"::ffff:{address}",
        f"64:ff9b::{address}",
        str(IPv6Address(int(IPv6Address("2002::")) | int(address) << 80 | 7)),
    ):
        assert network_of(written) == str(address)


@pytest.mark.parametrize("odd", ["", "unix:", "localhost", "1.2.3.4:80", "[::1]"])
def test_what_is_no_address_counts_as_it_is(odd: str) -> None:
    assert network_of(odd) == odd


@pytest.mark.slow
def test_one_64_has_one_limit_at_every_door(make_relay: MakeRelay) -> None:
    relay = make_relay(operator_sign_in_limit="3 per hour", sign_in_failure_limit="3 per hour")
    relay.sign_in("admin")
    client = relay.app.test_client()
    form = {"csrf_token": token(client, "/sign-in"), "email": "eve@example.org", "password": "wrong"}
    wrong = {"Authorization": "Bearer wrong"}

    def three_doors(number: int) -> list[int]:
        here = {"REMOTE_ADDR": f"2001:db8:1:2::{number:x}"}
        return [
            client.post("/sign-in", data=form, environ_base=here).status_code,
            client.post("/webhooks/mixpanel/crm", headers=basic("crm", "wrong"), environ_base=here).status_code,
        ]

    assert [three_doors(number) for number in range(4)] == [[422, 401]] * 3 + [[429, 429]]
    last = {"REMOTE_ADDR": "2001:db8:1:2::ffff"}
    assert client.get("/api/v1/cohorts", headers=wrong, environ_base=last).status_code == 429
    other = {"REMOTE_ADDR": "2001:db8:1:3::1"}
    assert client.post("/sign-in", data=form, environ_base=other).status_code == 422
