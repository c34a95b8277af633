"""Signed webhooks: the standard's vectors, its library at a real server, and what every answer comes to."""

import base64
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from destinations.contract import Answer as Outcome
from destinations.contract import Change, Erasing, Opened, RefusalKind
from destinations.types.webhook import WEBHOOK, WebhookAdapter, new_secret
from tests.destinations.far_end import FEED, change, opened
from tests.mixpanel import Answer, Call, Mixpanel, stand_in

OFFICIAL = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OFFICIAL_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
OLD, NEW = new_secret(), new_secret()


@pytest.fixture
def receiver() -> Iterator[Mixpanel]:
    with stand_in() as found:
        yield found


def now() -> int:
    return time.time_ns() // 1_000_000


def adapter(url: str, *secrets: str, **settings: Any) -> WebhookAdapter:
    made = opened({"url": url, "batch": 1, "timeout_seconds": 5} | settings, {"secret": list(secrets or [NEW])})
    found = WEBHOOK.open(replace(made, clock=now))
    assert isinstance(found, WebhookAdapter)
    return found


def sent(receiver: Mixpanel, changes: list[Change], **settings: Any) -> Outcome:
    return adapter(f"{receiver.url}/hook", **settings).send(FEED, changes)


def verified(call: Call, secret: str = NEW) -> Any:
    """The body, where the official library takes it."""
    return Webhook(secret).verify(call.body, call.headers)


@pytest.mark.parametrize(
    ("seconds", "body", "signature"),
    [
        (1614265330, '{"test": 2432232314}', "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        (1674087231, '{"type":"cohort.member.entered"}', "v1,46wBaH02GIIQVrQKFEetiG0bKXvCycoMbGtbPGk1ToM="),
    ],
)
def test_it_signs_as_the_vectors_of_the_standard_do(seconds: int, body: str, signature: str) -> None:
    made = Opened("ours", {"url": "https://hooks.example"}, {"secret": [OFFICIAL]}, lambda: seconds * 1000 + 999)
    headers = WebhookAdapter(made)._headers(OFFICIAL_ID, body.encode())
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (OFFICIAL_ID, str(seconds))
    assert headers["webhook-signature"] == signature


def test_the_signature_does_not_depend_on_the_time_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        made = Opened("ours", {"url": "https://hooks.example"}, {"secret": [OFFICIAL]}, lambda: 1614265330_000)
        headers = WebhookAdapter(made)._headers(OFFICIAL_ID, b'{"test": 2432232314}')
        assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    finally:
        monkeypatch.undo()
        time.tzset()


def test_an_event_is_what_the_document_says_and_the_official_library_takes_it(receiver: Mixpanel) -> None:
    event = change(7, "ada", at=1_777_629_600_000, entry_number=2, fields={"email": "ada@example.com"})
    outcome = sent(receiver, [event])
    assert outcome.verdicts[7].outcome == "applied"
    assert receiver.calls[0].headers["webhook-id"] == "dlv_7"
    assert verified(receiver.calls[0]) == {
        "type": "cohort.member.entered",
        "timestamp": "2026-05-01T10:00:00.000Z",
        "data": {
            "project_id": "1234567",
            "cohort_id": "987",
            "cohort_name": "Paying users",
            "distinct_id": "ada",
            "entry_number": 2,
            "session_id": 12,
            "fields": {"email": "ada@example.com"},
        },
    }


def test_exits_and_erasures_have_types_of_their_own(receiver: Mixpanel) -> None:
    hook = adapter(f"{receiver.url}/hook")
    hook.send(FEED, [change(1, kind="left")])
    assert isinstance(hook, Erasing)
    hook.erase(FEED, change(2, kind="erased"))
    assert [verified(call)["type"] for call in receiver.calls] == ["cohort.member.left", "person.erased"]


def test_a_batch_lists_its_events_with_the_id_of_each(receiver: Mixpanel) -> None:
    changes = [change(1, "ada"), change(2, "bob", "left")]
    outcome = sent(receiver, changes, batch=1000)
    assert [outcome.verdicts[number].outcome for number in (1, 2)] == ["applied"] * 2
    body = verified(receiver.calls[0])
    assert (body["type"], body["timestamp"]) == ("cohort.members.changed", "2026-05-28T20:26:39.000Z")
    told = body["data"]["changes"]
    assert [(one["id"], one["type"], one["data"]["distinct_id"]) for one in told] == [
        ("dlv_1", "cohort.member.entered", "ada"),
        ("dlv_2", "cohort.member.left", "bob"),
    ]


def test_a_batch_of_one_is_a_batch_too_and_has_the_id_of_its_message(receiver: Mixpanel) -> None:
    sent(receiver, [change(1)], batch=50)
    assert verified(receiver.calls[0])["type"] == "cohort.members.changed"
    assert receiver.calls[0].headers["webhook-id"] == "dlv_1"


def test_a_call_that_is_repeated_has_the_same_id_and_body_and_a_signature_of_its_own(receiver: Mixpanel) -> None:
    changes, at = [change(1, "ada"), change(2, "bob")], [1_614_265_330_000, 1_614_265_930_000]
    made = opened({"url": f"{receiver.url}/hook", "batch": 10}, {"secret": [NEW]})
    hook = WebhookAdapter(replace(made, clock=lambda: at.pop(0)))
    for _ in range(2):
        hook.send(FEED, changes)
    first, second = receiver.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_other_messages_are_another_call(receiver: Mixpanel) -> None:
    sent(receiver, [change(1, "ada"), change(2, "bob")], batch=10)
    sent(receiver, [change(1, "ada"), change(3, "eve")], batch=10)
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 2


def test_after_a_rotation_both_secrets_verify_until_the_old_one_is_gone(receiver: Mixpanel) -> None:
    for live in ([OLD], [NEW, OLD], [NEW]):
        adapter(f"{receiver.url}/hook", *live).send(FEED, [change()])
    before, between, after = receiver.calls
    assert len(between.headers["webhook-signature"].split(" ")) == 2
    for call, secret in ((before, OLD), (between, OLD), (between, NEW), (after, NEW)):
        verified(call, secret)
    for call, secret in ((before, NEW), (after, OLD)):
        with pytest.raises(WebhookVerificationError):
            verified(call, secret)


def test_a_secret_is_made_by_us_long_enough_and_never_twice() -> None:
    made = WEBHOOK.setting("secret")
    assert made is not None
    assert made.secret
    assert made.make is not None
    secrets = {made.make() for _ in range(20)}
    assert len(secrets) == 20
    assert all(24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64 for secret in secrets)


@given(
    st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers() | st.booleans() | st.none(), max_size=4),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)
def test_whatever_people_are_called_the_signature_is_of_the_bytes_that_leave(fields: dict[str, Any], name: str) -> None:
    hook = adapter("https://hooks.example")
    text = hook.preview(FEED, [change(1, name, fields=fields)])
    assert Webhook(NEW).verify(text.encode(), hook._headers("dlv_1", text.encode()))["data"]["distinct_id"] == name


def test_a_body_over_20_kilobytes_arrives_whole(receiver: Mixpanel) -> None:
    changes = [change(number, f"person-{number}", fields={"about": "ü" * 100}) for number in range(1, 1001)]
    outcome = sent(receiver, changes, batch=1000)
    assert len(receiver.calls[0].body) > 300_000
    assert len(verified(receiver.calls[0])["data"]["changes"]) == len(outcome.verdicts) == 1000


REFUSED: dict[int, RefusalKind] = {
    410: "gone",
    **dict.fromkeys((425, 429), "throttled"),
    **dict.fromkeys((301, 302, 307, 308, 408, 500, 502, 503, 504, 522), "unavailable"),
}


@pytest.mark.parametrize(("status", "kind"), REFUSED.items())
def test_what_is_not_final_is_tried_again_and_410_is_the_end(
    receiver: Mixpanel, status: int, kind: RefusalKind
) -> None:
    receiver.script("/hook", Answer(status, "", {"Location": "/elsewhere", "Retry-After": "9"}))
    outcome = sent(receiver, [change()])
    assert outcome.refusal is not None
    assert (outcome.refusal.kind, outcome.status, outcome.verdicts) == (kind, status, {})
    assert outcome.refusal.wait == (9 if status in {425, 429, 503} else None)
    assert [call.path for call in receiver.calls] == ["/hook"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 422, 451])
def test_any_other_4xx_rejects_the_event(receiver: Mixpanel, status: int) -> None:
    receiver.script("/hook", Answer(status, "no"))
    outcome = sent(receiver, [change(3)])
    assert outcome.refusal is None
    assert (outcome.verdicts[3].outcome, outcome.verdicts[3].reason) == ("rejected", f"http_{status}")


def test_a_batch_that_is_refused_for_what_is_in_it_is_cut_and_one_that_is_not_is_rejected(receiver: Mixpanel) -> None:
    receiver.script("/hook", Answer(422), Answer(413), Answer(404))
    two = [change(1, "ada"), change(2, "bob")]
    outcomes = [sent(receiver, two, batch=10) for _ in range(3)]
    assert [outcome.refusal and outcome.refusal.kind for outcome in outcomes] == ["batch", "size", None]
    assert {verdict.outcome for verdict in outcomes[2].verdicts.values()} == {"rejected"}


def test_an_answer_that_is_cut_or_late_after_the_event_was_taken_is_nobody_knows(receiver: Mixpanel) -> None:
    receiver.script("/hook", Answer(drop=True), Answer(after=1), Answer(200, "taken, thank you", cut=True))
    outcomes = [sent(receiver, [change()], timeout_seconds=0.3) for _ in range(3)]
    assert [outcome.refusal and outcome.refusal.kind for outcome in outcomes] == ["unknown"] * 3
    assert len(receiver.calls) == 3
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1


def test_a_redirect_to_another_host_leaks_nothing(receiver: Mixpanel) -> None:
    with stand_in() as other:
        receiver.script("/hook", Answer(307, "", {"Location": f"{other.url}/stolen"}))
        outcome = sent(receiver, [change()])
        assert other.calls == []
    assert outcome.refusal is not None
    assert "not followed" in outcome.refusal.told


def test_what_is_kept_of_an_answer_names_nobody_and_shows_no_secret(receiver: Mixpanel) -> None:
    receiver.script("/hook", lambda call: Answer(400, call.body + str(call.headers).encode() + NEW.encode()))
    outcome = sent(receiver, [change(1, "ada.lovelace", fields={"email": "ada@example.com"})])
    assert "cohort.member.entered" in outcome.text
    assert not [word for word in ("lovelace", "ada@example.com", NEW) if word in outcome.text]


def test_without_a_secret_nothing_leaves(receiver: Mixpanel) -> None:
    made = opened({"url": f"{receiver.url}/hook", "batch": 1})
    outcome = WebhookAdapter(made).send(FEED, [change()])
    assert outcome.refusal is not None
    assert outcome.refusal.kind == "credentials"
    assert receiver.calls == []


@pytest.mark.parametrize(("status", "ok"), [(200, True), (405, True), (404, True), (301, False), (410, False)])
def test_a_check_tells_nobody_of_anything(receiver: Mixpanel, status: int, ok: bool) -> None:
    receiver.script("/hook", Answer(status, "", {"Location": "/elsewhere"}))
    check = adapter(f"{receiver.url}/hook").check()
    assert (check.ok, [(call.method, call.body) for call in receiver.calls]) == (ok, [("HEAD", b"")])
    assert str(status) in check.told


def test_a_check_of_nobody_says_so() -> None:
    check = adapter("http://127.0.0.1:1/hook").check()
    assert not check.ok
    assert "reached" in check.told
