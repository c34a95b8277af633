"""The receive path does not feel destinations: a page costs the same statements with none and with a hundred."""

from tests.destinations.conftest import Relaying
from tests.sync.test_statements import watched


def test_a_page_costs_the_same_with_a_hundred_subscriptions(relaying: Relaying) -> None:
    relay = relaying.relay

    def page(number: int) -> list[str]:
        with watched(relay) as statements:
            relay.refresh([f"p{number}-{one}" for one in range(20)], session=f"s{number}")
        return list(statements)

    relay.refresh(["ada"])
    page(1)
    before = page(2)
    for number in range(100):
        relaying.destination(f"hook{number}")
        relaying.subscribe(f"hook{number}")
    assert page(3) == before
