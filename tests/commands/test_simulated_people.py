"""The simulator's people: believable, invented, the same for the same seed."""

from simulator.people import DOMAINS, Population

PEOPLE = Population("a", 1000)


def test_the_same_seed_makes_the_same_people() -> None:
    assert [PEOPLE.member(number) for number in range(50)] == [Population("a", 9).member(n) for n in range(50)]


def test_another_seed_makes_other_people() -> None:
    assert PEOPLE.distinct_id(1) != Population("b", 1000).distinct_id(1)


def test_nobody_shares_an_id_or_an_address() -> None:
    members = [PEOPLE.member(number) for number in range(1000)]
    addresses = [member["email"] for member in members if "email" in member]
    assert len({member["mixpanel_distinct_id"] for member in members}) == 1000
    assert len(set(addresses)) == len(addresses)


def test_addresses_are_of_domains_that_are_kept_for_examples() -> None:
    assert all(domain.split(".")[-2] == "example" for domain in DOMAINS)


def test_some_profiles_lack_an_address_and_a_number() -> None:
    members = [PEOPLE.member(number) for number in range(1000)]
    assert 20 < sum("email" not in member for member in members) < 100
    assert 300 < sum("phone_number" not in member for member in members) < 700


def test_everybody_has_a_plan_a_country_a_date_and_seats() -> None:
    assert {"plan", "country", "signed_up", "seats"} <= PEOPLE.member(7).keys()


def test_who_was_known_already_keeps_the_first_numbers() -> None:
    people = Population("a", 10, known=[{"mixpanel_distinct_id": "K", "plan": "pro"}])
    assert (len(people), people.distinct_id(0), people.member(0)["plan"]) == (11, "K", "pro")
