"""ETag and If-None-Match: a reader who has the answer already gets 304, and never a stale one."""

import itertools

from werkzeug.test import TestResponse

from tests.relay import MINUTE, Relay, member

COHORT = "/projects/1/cohorts/7"
CALLS = ["/cohorts", COHORT, f"{COHORT}/members", f"{COHORT}/members/A", f"{COHORT}/changes"]


def again(relay: Relay, call: str, tags: str) -> TestResponse:
    return relay.api(call, headers={"If-None-Match": tags})


def test_the_tag_names_the_version(relay: Relay) -> None:
    relay.add(["A"])
    version = relay.cohort()["version"]
    for call in CALLS[1:]:
        assert relay.api(call).headers["ETag"].startswith(f'"{version}-')


def test_the_same_answer_again_is_304_without_a_body(relay: Relay) -> None:
    relay.add(["A"])
    for call in CALLS:
        tag = relay.api(call).headers["ETag"]
        for tags in (tag, f"W/{tag}", f'"other", {tag}', f'W/"other",W/{tag}', "*"):
            answer = again(relay, call, tags)
            assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag)


def test_another_tag_gets_the_answer(relay: Relay) -> None:
    relay.add(["A"])
    for call, tags in itertools.product(CALLS, ('"other"', "", "nonsense", '"', 'W/"1-2"')):
        assert again(relay, call, tags).status_code == 200


def test_a_change_makes_the_tag_another(relay: Relay) -> None:
    relay.add(["A"], session="1")
    tags = {call: relay.api(call).headers["ETag"] for call in CALLS}
    relay.clock.forward(MINUTE)
    relay.add(["B"], session="2")
    for call, tag in tags.items():
        assert again(relay, call, tag).status_code == 200
        assert relay.api(call).headers["ETag"] != tag


def test_a_profile_that_changes_through_another_cohort_is_never_304(relay: Relay) -> None:
    relay.add([member("A", email="old@example.com")], cohort="7")
    tags = {call: relay.api(call).headers["ETag"] for call in (f"{COHORT}/members", f"{COHORT}/members/A")}
    version = relay.cohort("7")["version"]
    relay.add([member("A", email="new@example.com")], cohort="8")
    assert relay.cohort("7")["version"] == version
    for call, tag in tags.items():
        assert "new@example.com" in again(relay, call, tag).text


def test_a_status_that_changes_is_never_304(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2)
    tag = relay.api(COHORT).headers["ETag"]
    relay.wait(16 * MINUTE)
    assert again(relay, COHORT, tag).json["status"] == "stalled"


def test_an_identical_refresh_leaves_the_members_304(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="1")
    tag = relay.api(f"{COHORT}/members").headers["ETag"]
    relay.clock.forward(MINUTE)
    relay.refresh(["A", "B"], session="2")
    assert again(relay, f"{COHORT}/members", tag).status_code == 304


def test_answers_may_be_kept_by_their_reader_alone(relay: Relay) -> None:
    relay.add(["A"])
    for call in CALLS:
        assert relay.api(call).headers["Cache-Control"] == "private, no-cache"
