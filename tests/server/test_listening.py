"""Where the server listens."""

import socket
from contextlib import closing

import pytest

from server.supervisor import listen


@pytest.mark.parametrize("caller", ["127.0.0.1", "::1"])
def test_the_address_that_means_everywhere_in_ipv6_serves_both_families(caller: str) -> None:
    with closing(listen("::", 0)) as everywhere:
        socket.create_connection((caller, everywhere.getsockname()[1]), timeout=20).close()


def test_an_address_of_one_family_is_served_as_it_is() -> None:
    with closing(listen("127.0.0.1", 0)) as here:
        assert here.family == socket.AF_INET
    with closing(listen("::1", 0)) as here:
        assert here.family == socket.AF_INET6
