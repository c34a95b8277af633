"""GET …/members and GET …/members/{distinct_id}."""

from urllib.parse import quote

from tests.api.reading import every, read, refusal
from tests.relay import MINUTE, Relay, member

MEMBERS = "/projects/1/cohorts/7/members"

ODD_IDS = [
    "a/b",
    "/a",
    "a/",
    "//",
    "a//b",
    "members",
    "../x",
    ".",
    "a.csv",
    "é",
    "日本",
    "🐱",
    "a b",
    "a%2Fb",
    "a?b=c",
    "a#b",
    "a\nb",
]


def test_a_member_is_the_profile_and_the_stay(relay: Relay) -> None:
    profile = {"email": "ada@example.com", "first_name": "Ada", "last_name": "L", "phone_number": "+49", "plan": "pro"}
    relay.add([member("A", **profile, seats=[1, {"x": None}])])
    expected = {
        "distinct_id": "A",
        "email": "ada@example.com",
        "first_name": "Ada",
        "last_name": "L",
        "phone_number": "+49",
        "properties": {"plan": "pro", "seats": [1, {"x": None}]},
        "entered_at": "2025-06-15T15:06:40.000Z",
        "entry_number": 1,
    }
    assert read(relay, MEMBERS) == {"data": [expected], "next": None}
    assert read(relay, f"{MEMBERS}/A") == expected


def test_a_member_without_a_profile_has_nulls_and_no_properties(relay: Relay) -> None:
    relay.add(["A"])
    found = read(relay, f"{MEMBERS}/A")
    assert [found[name] for name in ("email", "first_name", "last_name", "phone_number")] == [None] * 4
    assert found["properties"] == {}


def test_the_list_is_who_is_in_now_whatever_the_size_of_its_pages(relay: Relay) -> None:
    relay.add([f"user {number:03}" for number in range(250)])
    relay.remove([f"user {number:03}" for number in range(0, 250, 3)], session="gone")
    for limit in (1, 7, 83, 1000):
        listed = [one["distinct_id"] for one in every(relay, MEMBERS, limit=limit)]
        assert len(listed) == len(set(listed))
        assert set(listed) == relay.members()


def test_a_page_has_100_members_unless_told_otherwise(relay: Relay) -> None:
    relay.add([str(number) for number in range(1, 151)])
    assert len(read(relay, MEMBERS)["data"]) == 100


def test_a_page_that_is_just_full_is_the_last_one(relay: Relay) -> None:
    relay.add(["A", "B"])
    assert read(relay, MEMBERS, limit=2)["next"] is None
    assert read(relay, MEMBERS, limit=1)["next"] is not None


def test_who_stays_is_listed_once_while_others_come_and_go(relay: Relay) -> None:
    relay.add(["A", "B", "C", "D"])
    first = read(relay, MEMBERS, limit=2)
    relay.remove(["A"], session="leave")
    relay.add(["E"], session="enter")
    rest = every(relay, MEMBERS, cursor=first["next"])
    assert [one["distinct_id"] for one in [*first["data"], *rest]] == ["A", "B", "C", "D", "E"]


def test_another_cohorts_cursor_is_refused(relay: Relay) -> None:
    relay.add(["A", "B"], cohort="7")
    relay.add(["A", "B"], cohort="8")
    cursor = read(relay, MEMBERS, limit=1)["next"]
    assert refusal(relay, "/projects/1/cohorts/8/members", cursor=cursor)[0] == 400


def test_an_id_is_found_whatever_it_holds(relay: Relay) -> None:
    relay.add(ODD_IDS)
    assert relay.members() == set(ODD_IDS)
    for distinct_id in ODD_IDS:
        assert read(relay, f"{MEMBERS}/{quote(distinct_id, safe='')}")["distinct_id"] == distinct_id
        assert read(relay, f"/people/1/{quote(distinct_id, safe='')}")["distinct_id"] == distinct_id


def test_who_has_left_is_404_and_comes_back_with_the_next_entry_number(relay: Relay) -> None:
    relay.add(["A"])
    relay.remove(["A"])
    assert refusal(relay, f"{MEMBERS}/A") == (404, "This person is not in the cohort.")
    relay.clock.forward(MINUTE)
    relay.add(["A"], session="again")
    found = read(relay, f"{MEMBERS}/A")
    assert (found["entry_number"], found["entered_at"]) == (2, "2025-06-15T15:07:40.000Z")


def test_who_was_never_in_is_404(relay: Relay) -> None:
    relay.add(["A"])
    for never in ("B", "a", "A ", "A%00", "%ED%A0%80", "x" * 5000):
        assert refusal(relay, f"{MEMBERS}/{never}")[0] == 404


def test_a_member_of_another_cohort_is_404(relay: Relay) -> None:
    relay.add(["A"], cohort="8")
    relay.add(["B"], cohort="7")
    assert refusal(relay, f"{MEMBERS}/A")[0] == 404
