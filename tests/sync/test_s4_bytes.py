"""S4: bytes, encodings and depths that strict readers refuse cost a value or a member, and never the page."""

import json

import pytest

from tests.relay import Relay, body, member


def sent(members: list[object], **more: str) -> bytes:
    return json.dumps(body("members", members, **more), ensure_ascii=False).encode("utf-8", "surrogatepass")


def test_s4_a_wrong_byte_is_replaced_and_counted_and_the_page_succeeds(relay: Relay) -> None:
    written = sent([member("A", email="n?me@example.org", plan="g?ld"), member("B")])
    assert relay.post_raw(written.replace(b"?", b"\xe9")).status_code == 200
    assert relay.members() == {"A", "B"}
    assert relay.person("A")["email"] == "n\ufffdme@example.org"
    assert relay.person("A")["properties"] == {"plan": "g\ufffdld"}
    session = relay.session()
    assert (session["replaced"], session["rejected"]) == (2, 0)
    assert relay.api(f"/sessions/{session['id']}").json["replaced_bytes"] == 2  # type: ignore[index]
    page = relay.sign_in("viewer").page(f"/sessions/{session['id']}")
    assert "2 bytes of this export were not UTF-8" in page


@pytest.mark.parametrize("wrong", [b"\xff", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xc0\xaf", b"\x80"])
def test_s4_an_id_that_holds_a_wrong_byte_is_rejected(relay: Relay, wrong: bytes) -> None:
    written = sent([member("A"), member("B?"), "C?"]).replace(b"?", wrong)
    assert relay.post_raw(written).status_code == 200
    assert relay.members() == {"A"}
    assert (relay.session()["rejected"], relay.session()["replaced"]) == (2, 2 * len(wrong))


def test_s4_a_wrong_byte_in_a_label_or_a_key_is_replaced(relay: Relay) -> None:
    written = sent([member("A", **{"k?y": 1})], name="P?ying").replace(b"?", b"\xe9")
    assert relay.post_raw(written).status_code == 200
    assert relay.cohort()["name"] == "P\ufffdying"
    assert relay.person("A")["properties"] == {"k\ufffdy": 1}


def test_s4_the_replacement_sign_itself_is_a_character_like_others(relay: Relay) -> None:
    relay.refresh([member("A\ufffd", plan="\ufffd")])
    assert relay.members() == {"A\ufffd"}
    assert relay.session()["replaced"] == 0


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_s4_a_body_in_another_unicode_encoding_is_read(relay: Relay, encoding: str) -> None:
    written = sent([member("Zoë 🙂", email="zoë@example.org")]).decode().encode(encoding)
    assert relay.post_raw(written).status_code == 200
    assert relay.members() == {"Zoë 🙂"}
    assert relay.session()["replaced"] == 0


@pytest.mark.parametrize("escaped", ["\\ud800", "\\udfff\\ud800", "a\\udc80b"])
def test_s4_half_a_character_in_an_escape_rejects_an_id_and_spoils_no_value(relay: Relay, escaped: str) -> None:
    written = sent([member("A", plan="?"), member("?")]).replace(b"?", escaped.encode())
    assert relay.post_raw(written).status_code == 200
    assert relay.members() == {"A"}
    assert relay.session()["rejected"] == 1


@pytest.mark.parametrize("levels", [99, 150, 201, 1_000, 5_000, 100_000])
@pytest.mark.parametrize("written", ["[", '{"a":'])
def test_s4_levels_of_nesting_cost_the_value_and_not_the_page(relay: Relay, levels: int, written: str) -> None:
    deep = written * levels + "1" + ("]" if written == "[" else "}") * levels
    template = sent([member("A", plan="pro", deep="?", after="it"), member("B")])
    assert relay.post_raw(template.replace(b'"?"', deep.encode())).status_code == 200
    assert relay.members() == {"A", "B"}
    properties = relay.person("A")["properties"]
    assert (properties["plan"], properties["after"]) == ("pro", "it")
    assert relay.api("/projects/1/cohorts/7/members").status_code == 200
    assert relay.sign_in("viewer").get(f"/people/{relay.person('A')['id']}").status_code == 200


def test_s4_brackets_that_are_never_closed_are_no_json(relay: Relay) -> None:
    answer = relay.post_raw(b'{"action":"members","parameters":{"members":' + b"[" * 5_000)
    assert answer.status_code == 400
    assert relay.failures()[0]["cause"] == "not_json"


@pytest.mark.parametrize(
    ("page", "total"), [("1", "2"), (1.0, 2.0), ("1.0", "2.0"), (" 1 ", "2\n"), ("+1", "02"), ("1.", "2.00")]
)
def test_s4_page_numbers_may_be_written_in_any_way_that_is_a_whole_number(
    relay: Relay, page: object, total: object
) -> None:
    relay.refresh(["A"], page, total)
    assert (relay.session()["total_pages"], relay.session()["pages_received"]) == (2, 1)
    assert not relay.session()["unclear"]


@pytest.mark.parametrize(
    "name", [" ", "   \t", "\u00a0", "\u200b\u200d", "\ufeff", "\u202e", "\u2800", "\u3164", "\x1b"]
)
def test_s4_a_cohort_whose_name_cannot_be_seen_is_shown_by_its_id(relay: Relay, name: str) -> None:
    relay.refresh(["A"], name=name)
    assert relay.cohort()["name"] == ""
    assert "Cohort 7" in relay.sign_in("viewer").page("/cohorts")


def test_s4_a_name_that_begins_with_spaces_is_kept_as_it_is(relay: Relay) -> None:
    relay.refresh(["A"], name="  Paying \u200b users")
    assert relay.cohort()["name"] == "  Paying \u200b users"
