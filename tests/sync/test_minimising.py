"""A connection that keeps less of people: who is a member stays the same, and what is not kept is nowhere."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import profile_choice
from models.profile_choice import ProfileChoice, WrongChoice
from security import connections
from sync.apply.receive import receive
from sync.contract import page, profile
from sync.minimise.fields import Minimiser, normal
from sync.minimise.page import minimised
from sync.rules import Rules
from tests.erasure.planted import in_files, stored
from tests.relay import MINUTE, Relay, member
from tests.relay import body as webhook_body
from tests.sync.test_property import EXAMPLES, Export, Play, Traffic, traffic

EMAIL, PHONE, PLAN, NESTED = "Ada.Planted@Example.org", "+49 151 2345678", "plan-planted", "inner@planted.example"
SECRET = (EMAIL.lower(), "151 2345678", "1512345678")
ADA = member("ada", email=EMAIL, first_name="Ada", phone_number=PHONE, plan=PLAN, contact={"E-Mail": [EMAIL], "at": 1})


def digest(purpose: str, content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=32, key=purpose.encode()).hexdigest()


def choose(relay: Relay, **given: Any) -> ProfileChoice:
    choice = profile_choice.of_json(given)
    relay.database.write(lambda db: connections.keep(db, relay.name, choice))
    return choice


# --- membership

names = st.sampled_from(["email", "first_name", "last_name", "phone_number", "plan", "$email", "Phone", "work", "x"])
ways = st.sampled_from(profile_choice.WAYS)
choices = st.builds(
    ProfileChoice,
    keep=st.none() | st.lists(names, unique=True).map(tuple),
    email=ways,
    phone=ways,
    email_fields=st.sampled_from([(), ("work",)]),
    days=st.sampled_from([(), (("plan", 3),)]),
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
profiles = st.dictionaries(
    names | st.sampled_from(["customProperties", "distinct_id", "$distinct_id"]) | st.text(max_size=4),
    values,
    max_size=6,
)


@dataclass
class MinimisedPlay(Play):
    """The same traffic, with profiles, by connections that keep less; `later` is their choice after some pages."""

    choice: ProfileChoice = profile_choice.EVERYTHING
    later: ProfileChoice = profile_choice.EVERYTHING
    profiles: list[dict[str, Any]] = field(default_factory=list)
    pages: int = 0

    def page(self, export: Export, place: int) -> None:
        self.now += 1
        self.pages += 1
        people, rejected, number, total = export.body(place)
        members = [self._profile(person) | member(person) for person in sorted(people)] + [member(" ")] * rejected
        sent = webhook_body(
            export.action, members, number, total, session=export.session, cohort=self.cohort, project=self.cohort
        )
        choice = self.choice if self.pages < 5 or not export.numbered else self.later
        read = minimised(page.parse(json.dumps(sent).encode()), choice.stored(), digest)
        self.relay.database.write(lambda db: receive(db, read, self.rules, export.connection, self.now))
        self.model.receive(export.action, export.session, export.body(place), self.now)

    def _profile(self, person: str) -> dict[str, Any]:
        return self.profiles[ord(person) % len(self.profiles)] if self.profiles else {}


@settings(
    max_examples=EXAMPLES // 4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(traffic=traffic, choice=choices, later=choices, profiles=st.lists(profiles, max_size=3))
def test_membership_is_the_same_whatever_is_kept(
    relay: Relay, traffic: Traffic, choice: ProfileChoice, later: ProfileChoice, profiles: list[dict[str, Any]]
) -> None:
    rules = Rules(sweep_inline=traffic.inline, guard_percent=traffic.percent, guard_min_members=traffic.least)
    play = MinimisedPlay(relay, rules, choice=choice, later=later, profiles=profiles)
    play.whole(traffic)


def read_again(member: dict[str, Any], choice: ProfileChoice) -> profile.Patch:
    sent = webhook_body("members", [{**member, "mixpanel_distinct_id": "ada-1815"}])
    read = minimised(page.parse(json.dumps(sent).encode()), choice.stored(), digest)
    return profile.read(list(read.members.values()))[0]


@settings(max_examples=300, deadline=None)
@given(sent=profiles)
def test_what_is_kept_is_kept_as_it_came(sent: dict[str, Any]) -> None:
    """A choice that touches none of its fields changes nothing of any profile, whatever its shape."""
    before = read_again(sent, profile_choice.EVERYTHING)
    assert read_again(sent, ProfileChoice(days=(("unheard", 1),))) == before


@settings(max_examples=300, deadline=None)
@given(sent=profiles, choice=choices)
def test_nothing_that_is_dropped_is_left(sent: dict[str, Any], choice: ProfileChoice) -> None:
    before, after = read_again(sent, profile_choice.EVERYTHING), read_again(sent, choice)
    assert after.properties.keys() == {name for name in before.properties if choice.way(name) != "drop"}
    for place, name in enumerate(profile.FIELDS):
        named = bool(before.named >> place & 1)
        assert bool(after.named >> place & 1) == (named and choice.way(name) != "drop")
        value = after.fields[place]
        if value and choice.way(name) == "hash":
            assert profile_choice.is_hashed(value)


# --- what is stored


def test_what_is_dropped_or_hashed_is_nowhere(relay: Relay, tmp_path: Path) -> None:
    choose(relay, email="hash", phone="drop")
    relay.refresh([ADA, {"email": EMAIL}, [EMAIL], {"mixpanel_distinct_id": {"phone": PHONE}}], session="full")
    relay.add([ADA | {"$email": EMAIL, "Mobile Phone": PHONE}], session="more")
    relay.remove([ADA, {"email": EMAIL}], session="gone")
    assert relay.post("members", [ADA], 0, 10).status_code == 400
    assert relay.post_raw(f'{{"members": [{{"email": "{EMAIL}"').status_code == 400
    relay.clock.forward(2 * MINUTE)
    relay.work()
    assert stored(relay, SECRET) == {}
    assert in_files(tmp_path, SECRET) == []
    assert stored(relay, (PLAN,)).keys() == {PLAN}  # or the search would find nothing anywhere
    assert "@" not in str([dict(row) for row in relay.rows("SELECT * FROM person")])
    reasons = [
        json.loads(row["rejected_members"]) if isinstance(row["rejected_members"], str) else row["rejected_members"]
        for row in relay.rows("SELECT rejected_members FROM sync_page")
    ]
    assert {one["value"] for page in reasons if page for one in page} == {""}


def test_equal_addresses_and_numbers_are_equal_once_hashed(relay: Relay) -> None:
    choose(relay, email="hash", phone="hash")
    relay.refresh(
        [
            member("ada", email=EMAIL, phone_number="+49 (0)151 2345678", backup=EMAIL),
            member("bob", email=f"  {EMAIL.upper()} ", phone_number="0049-151-2345678"),
            member("cy", email="cy@example.org", phone_number="none"),
        ]
    )
    ada, bob, cy = (relay.person(one) for one in ("ada", "bob", "cy"))
    assert ada["email"] == bob["email"] != cy["email"]
    assert ada["phone_number"] == bob["phone_number"] != cy["phone_number"]
    assert all(profile_choice.is_hashed(one[name]) for one in (ada, cy) for name in ("email", "phone_number"))
    assert ada["properties"] == {"backup": EMAIL}  # its name does not say what it is: `email_fields` would


def test_a_field_by_another_name_and_one_inside_of_another_are_known(relay: Relay) -> None:
    choose(relay, email="drop", phone="hash", email_fields=["backup"])
    relay.refresh([ADA | {"$email": EMAIL, "backup": EMAIL, "cell_phone": 49151, "plan": {"phones": [PHONE, None]}}])
    kept = relay.person("ada")["properties"]
    assert (kept["contact"], kept.keys()) == ({"at": 1}, {"contact", "cell_phone", "plan"})
    first, second = kept["plan"]["phones"]
    assert profile_choice.is_hashed(first)
    assert second is None
    assert profile_choice.is_hashed(kept["cell_phone"])


@pytest.mark.parametrize(
    ("keep", "columns", "properties"),
    [("none", {}, {}), (["first_name", "plan"], {"first_name": "Ada"}, {"plan": PLAN})],
)
def test_only_the_fields_that_were_named_are_kept(relay: Relay, keep: Any, columns: Any, properties: Any) -> None:
    choose(relay, keep=keep)
    relay.refresh([ADA])
    found = relay.person("ada")
    assert {name: found[name] for name in profile.FIELDS if found[name] is not None} == columns
    assert found["properties"] == properties
    assert relay.members() == {"ada"}


def test_a_choice_applies_from_the_next_page_on_and_leaves_what_is_stored(relay: Relay) -> None:
    relay.refresh([ADA], session="before")
    choose(relay, email="drop", phone="hash")
    relay.refresh([ADA | {"plan": "new"}], session="after")
    found = relay.person("ada")
    assert (found["email"], found["properties"]["plan"]) == (EMAIL, "new")
    assert profile_choice.is_hashed(found["phone_number"])


def test_a_page_that_comes_again_after_the_choice_is_the_same_page(relay: Relay) -> None:
    relay.refresh([ADA], 1, 2, session="long")
    choose(relay, email="hash")
    relay.refresh([ADA], 1, 2, session="long")
    choose(relay)
    relay.refresh([ADA], 1, 2, session="long")
    assert relay.session()["replayed"] == 2
    relay.refresh([member("bob")], 2, 2, session="long")
    assert (relay.session()["status"], relay.members()) == ("complete", {"ada", "bob"})


def test_a_value_that_only_looks_hashed_is_hashed_when_it_arrives() -> None:
    fake = f"hashed:{'0' * 32}"
    minimiser = Minimiser(ProfileChoice(email="hash"), digest)
    assert minimiser.arriving(profile.Patch(1, (fake, None, None, None), {})).fields[0] != fake
    assert minimiser.stored(profile.Profile((fake, None, None, None), {}), 0).fields[0] == fake


@pytest.mark.parametrize(
    ("kind", "written", "plain"),
    [
        ("email", " A@B.example ", "a@b.example"),
        ("phone", "+49 (0)151-23", "+4915123"),
        ("phone", "0049 151 23", "+4915123"),
        ("phone", "015123", "015123"),
        ("phone", " On Request", "on request"),
    ],
)
def test_values_are_compared_in_their_normal_form(kind: Any, written: str, plain: str) -> None:
    assert normal(kind, written) == plain


@pytest.mark.parametrize(
    "given",
    [
        {"email": "burn"},
        {"keep": "some"},
        {"keep": [""]},
        {"keep": ["a\0"]},
        {"keep": [f"f{number}" for number in range(201)]},
        {"days": {"plan": 0}},
        {"days": {"plan": True}},
        {"days": {"plan": 3651}},
        {"email_fields": ["x" * 256]},
    ],
)
def test_a_choice_that_cannot_be_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(WrongChoice):
        profile_choice.of_json(given)


@given(choice=choices)
def test_a_choice_is_read_as_it_was_written(choice: ProfileChoice) -> None:
    read = profile_choice.of_column(choice.stored())
    assert read.as_json() == (
        choice.as_json() | {"keep": sorted(choice.keep)} if choice.keep is not None else choice.as_json()
    )
