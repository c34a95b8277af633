"""A page costs the same number of SQL statements whatever its size."""

from collections.abc import Callable

import pytest

from tests.relay import Relay, member
from tests.sync.statements import watched, writes_to

MOST = 12


def people(count: int, first: int = 0, **more: str) -> list[dict[str, object]]:
    return [member(f"u{number:05}", email=f"u{number}@example.org", **more) for number in range(first, first + count)]


def new_cohort(relay: Relay, size: int) -> None:
    """The first page of a cohort never seen before."""
    relay.refresh(people(size))


def unchanged_refresh(relay: Relay, size: int) -> None:
    relay.refresh(people(size), session="again")


def changed_profiles(relay: Relay, size: int) -> None:
    relay.refresh(people(size, plan="pro"), session="again")


def refresh_with_leavers(relay: Relay, size: int) -> None:
    """The last page of two: as many enter as leave."""
    relay.refresh(people(size, first=5000), 2, 2, session="newer")


def addition(relay: Relay, size: int) -> None:
    relay.add(people(size, first=5000), session="diff")


def removal(relay: Relay, size: int) -> None:
    relay.remove(people(size), session="diff")


def replay(relay: Relay, size: int) -> None:
    relay.refresh(people(size))


def rejected_members(relay: Relay, size: int) -> None:
    relay.add([member("")] * size, session="diff")


def late_removal(relay: Relay, size: int) -> None:
    """A removal's second page, after a newer refresh has begun."""
    relay.remove(people(size), 2, 2, session="late")


def superseded_page(relay: Relay, size: int) -> None:
    relay.refresh(people(size), 2, 2, session="superseded")


def another_cohort(relay: Relay, _size: int) -> None:
    relay.refresh(["someone"], cohort="8")


def first_page_of_a_refresh(relay: Relay, size: int) -> None:
    new_cohort(relay, size)
    relay.refresh([], 1, 2, session="newer")


def removal_and_a_newer_refresh(relay: Relay, size: int) -> None:
    new_cohort(relay, size)
    relay.remove([], 1, 2, session="late")
    relay.refresh(["someone"], 1, 2, session="newer")


def two_unfinished_refreshes(relay: Relay, _size: int) -> None:
    relay.refresh([], 1, 2, session="superseded")
    relay.refresh([], 1, 2, session="newer")


BEFORE: dict[Callable[[Relay, int], None], Callable[[Relay, int], None]] = {
    new_cohort: another_cohort,
    unchanged_refresh: new_cohort,
    changed_profiles: new_cohort,
    refresh_with_leavers: first_page_of_a_refresh,
    addition: new_cohort,
    removal: new_cohort,
    replay: new_cohort,
    rejected_members: new_cohort,
    late_removal: removal_and_a_newer_refresh,
    superseded_page: two_unfinished_refreshes,
}


def statements_of(relay: Relay, page: Callable[[Relay, int], None], size: int) -> list[str]:
    """What one POST sends to the database, after what comes before it."""
    BEFORE[page](relay, size)
    with watched(relay) as statements:
        page(relay, size)
    return statements


@pytest.mark.parametrize("page", BEFORE, ids=lambda page: page.__name__)
def test_p22_a_page_of_1000_costs_as_many_statements_as_a_page_of_1(
    make_relay: Callable[..., Relay], database_url: str, page: Callable[[Relay, int], None]
) -> None:
    relay = make_relay(removal_guard_percent=0)  # where it is on, it holds the one who are a thousand, not the one
    small = statements_of(relay, page, 1)
    for table in ("membership_change", "membership", "sync_page", "sync_session", "cohort_label", "cohort", "person"):
        relay.database.write(lambda db, table=table: db.exec_driver_sql(f"DELETE FROM {table}"))
    large = statements_of(relay, page, 1000)
    assert large == small
    assert len(large) <= MOST, "\n".join(large)


@pytest.mark.parametrize("size", [1, 1000])
def test_p22_p37_a_refresh_of_unchanged_people_writes_no_person_and_no_membership(relay: Relay, size: int) -> None:
    statements = statements_of(relay, unchanged_refresh, size)
    for table in ("person", "membership", "membership_change"):
        assert writes_to(table, statements) == []


def test_p22_even_the_first_call_with_a_password_stays_within_the_bound(relay: Relay) -> None:
    with watched(relay) as statements:
        new_cohort(relay, 1000)
    assert len(statements) <= MOST, "\n".join(statements)
