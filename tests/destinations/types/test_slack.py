"""Slack: what is posted, at most once, and what Slack's answers mean."""

from collections.abc import Iterator

import pytest

from destinations.contract import Answer as Outcome
from destinations.contract import Change, RefusalKind
from destinations.types.slack import SLACK, escaped
from tests.destinations.far_end import FEED, change
from tests.destinations.types.far_ends import CUT, DOWN, SECRET, SLOW, Fault, Vendor, broken, busy, opened_as, standing
from tests.destinations.types.specifications import needed, spec
from tests.mixpanel import Answer, Call

HOOK = "/services/T0001/B0001/planted7ab01"


class Slack(Vendor):
    """A channel that keeps what is posted, by an incoming webhook and by the Web API."""

    def __init__(self) -> None:
        super().__init__()
        self.api = spec("slack.json", "/api")
        self.posted: list[str] = []
        self.error = ""

    def answer(self, call: Call) -> Answer:
        if call.path == HOOK:
            return self._hook(call)
        if self.api is not None and (problem := self.api.problem(call)):
            return self.no(400, {"ok": False, "error": "invalid_arguments"}, problem)
        if call.headers.get("Authorization") != f"Bearer {SECRET}":
            return Answer(body={"ok": False, "error": "invalid_auth"})
        if call.path == "/api/auth.test":
            return Answer(body={"ok": True, "team": "Ours"})
        if self.error or not call.json.get("text"):
            return Answer(body={"ok": False, "error": self.error or "no_text"})
        self.posted.append(call.json["text"])
        return Answer(body={"ok": True, "channel": call.json["channel"], "message": {"text": call.json["text"]}})

    def _hook(self, call: Call) -> Answer:
        if not set(call.json) <= {"text", "blocks"} or not call.json.get("text"):
            return self.no(400, "no_text", "no text")
        self.posted.append(call.json["text"])
        return Answer(body="ok")


@pytest.fixture
def slack() -> Iterator[Slack]:
    with standing(Slack) as found:
        yield found


def by_hook(slack: Slack, changes: list[Change], **settings: object) -> Outcome:
    secrets = {"webhook_url": f"{slack.url}{HOOK}"}
    return SLACK.open(opened_as(SLACK, secrets, **settings)).send(FEED, changes)


def by_token(slack: Slack, changes: list[Change], **settings: object) -> Outcome:
    known = {"base_url": f"{slack.url}/api", "channel": "C0123456789", **settings}
    return SLACK.open(opened_as(SLACK, {"token": SECRET}, **known)).send(FEED, changes)


def many(count: int, kind: str = "entered", session: int = 12, first: int = 1) -> list[Change]:
    numbers = range(first, first + count)
    return [change(number, f"p{number}@example.com", kind, session_id=session) for number in numbers]  # type: ignore[arg-type]


@pytest.mark.parametrize("way", [by_hook, by_token])
def test_a_session_is_a_line_that_names_nobody(slack: Slack, way: object) -> None:
    outcome = way(slack, [*many(48), *many(12, "left", first=100)])  # type: ignore[operator]
    assert slack.posted == ["*Paying users*: 48 entered, 12 left (session 12)"]
    assert [verdict.outcome for verdict in outcome.verdicts.values()] == ["applied"] * 60
    assert len(slack.calls) == 1


def test_two_sessions_are_two_lines_of_one_message_in_the_order_of_the_log(slack: Slack) -> None:
    by_hook(slack, [*many(2, session=9), *many(1, "left", session=10, first=5), *many(1, session=0, first=8)])
    assert slack.posted[0].split("\n") == [
        "*Paying users*: 2 entered (session 9)",
        "*Paying users*: 1 left (session 10)",
        "*Paying users*: 1 entered",
    ]


def test_people_are_named_where_that_is_chosen_and_say_nothing_but_themselves(slack: Slack) -> None:
    by_hook(slack, [change(1, "<!channel>\n&co", fields={"plan": "<b>", "since": None})], people=True)
    assert slack.posted[0].split("\n")[1:] == ["• entered: &lt;!channel&gt; &amp;co (plan: &lt;b&gt;)"]


def test_of_a_thousand_people_the_first_hundred_are_named_and_all_are_counted(slack: Slack) -> None:
    by_hook(slack, many(1000), people=True)
    lines = slack.posted[0].split("\n")
    assert (lines[0], len(lines), lines[-1]) == ("*Paying users*: 1,000 entered (session 12)", 102, "… and 900 more")
    assert len(slack.posted[0]) < 40_000


def test_a_long_name_is_cut() -> None:
    assert escaped("x" * 500, 100) == "x" * 100 + "…"


@pytest.mark.parametrize("way", [by_hook, by_token])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        *((fault, "unknown") for fault in (CUT, SLOW, broken(), broken(502))),
        (DOWN, "unavailable"),
        (busy({"Retry-After": "30"}), "throttled"),
    ],
)
def test_what_may_have_been_posted_is_nobody_knows(slack: Slack, way: object, fault: Fault, kind: RefusalKind) -> None:
    slack.faults.append(fault)
    refusal = way(slack, many(2), timeout_seconds=0.3).refusal  # type: ignore[operator]
    assert refusal is not None
    assert (refusal.kind, refusal.wait) == (kind, 30 if kind == "throttled" else None)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, "action_prohibited", "credentials"),
        (403, "invalid_token", "credentials"),
        (404, "no_service", "gone"),
        (404, "channel_not_found", "gone"),
        (410, "channel_is_archived", "gone"),
        (500, "rollup_error", "unknown"),
        (200, "<html>a proxy</html>", "unknown"),
        (302, "", "unavailable"),
    ],
)
def test_what_a_webhook_refuses(slack: Slack, status: int, body: str, kind: RefusalKind) -> None:
    slack.faults.append(Fault(Answer(status, body)))
    refusal = by_hook(slack, many(1)).refusal
    assert refusal is not None
    assert refusal.kind == kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        *((error, "credentials") for error in ("invalid_auth", "token_revoked", "missing_scope")),
        *((error, "gone") for error in ("channel_not_found", "not_in_channel", "is_archived")),
        ("ratelimited", "throttled"),
        ("fatal_error", "unknown"),
        ("service_unavailable", "unavailable"),
    ],
)
def test_a_200_with_ok_false_is_no_success(slack: Slack, error: str, kind: RefusalKind) -> None:
    slack.faults.append(Fault(Answer(200, {"ok": False, "error": error}, {"Retry-After": "7"})))
    refusal = by_token(slack, many(1)).refusal
    assert refusal is not None
    assert (refusal.kind, refusal.reason, refusal.wait) == (kind, error, 7 if kind == "throttled" else None)


@pytest.mark.parametrize("way", [by_hook, by_token])
def test_a_message_that_is_refused_itself_is_rejected_and_not_posted_in_halves(slack: Slack, way: object) -> None:
    slack.faults.append(Fault(Answer(400, "invalid_payload")))
    outcome = way(slack, many(3))  # type: ignore[operator]
    assert outcome.refusal is None
    assert {(one.outcome, one.reason) for one in outcome.verdicts.values()} == {("rejected", "invalid_payload")}


def test_an_error_that_is_a_sentence_is_no_reason(slack: Slack) -> None:
    slack.error = "p1@example.com is not welcome"
    assert by_token(slack, many(1)).verdicts[1].reason == "refused"


def test_a_check_posts_nothing(slack: Slack) -> None:
    api = {"base_url": f"{slack.url}/api", "channel": "C0123456789"}
    good = [opened_as(SLACK, {"webhook_url": f"{slack.url}{HOOK}"}), opened_as(SLACK, {"token": SECRET}, **api)]
    checks = [SLACK.open(one).check() for one in good]
    assert [one.ok for one in checks] == [True, True], checks
    assert not SLACK.open(opened_as(SLACK, {"token": "another"}, **api)).check().ok
    slack.faults.append(Fault(Answer(404, "no_service")))
    assert not SLACK.open(good[0]).check().ok
    assert slack.posted == []


def test_it_needs_an_address_or_a_token_with_a_channel() -> None:
    with pytest.raises(ValueError, match="webhook address"):
        SLACK.open(opened_as(SLACK))
    with pytest.raises(ValueError, match="channel"):
        SLACK.open(opened_as(SLACK, {"token": SECRET}))


def test_neither_the_address_nor_a_person_stays_in_what_is_kept(slack: Slack) -> None:
    slack.faults.append(Fault(Answer(400, f"no p1@example.com at {slack.url}{HOOK}, {HOOK}")))
    text = by_hook(slack, many(1), people=True).text
    assert text
    assert not [word for word in ("p1@example.com", HOOK) if word in text]
    assert by_token(slack, many(1), people=True).text == "ok"


def test_a_preview_has_no_secret(slack: Slack) -> None:
    opened = opened_as(SLACK, {"webhook_url": f"{slack.url}{HOOK}"})
    assert SLACK.open(opened).preview(FEED, many(2)) == "*Paying users*: 2 entered (session 12)"


def test_every_request_is_one_that_slacks_description_allows(slack: Slack) -> None:
    needed("slack.json")
    by_token(slack, many(2))
    assert slack.refused == []


@pytest.mark.parametrize(
    ("people", "outcome"), [(True, ("rejected", "cannot_erase")), (False, ("applied", "never_named"))]
)
def test_an_erasure_posts_nothing(slack: Slack, people: bool, outcome: tuple[str, str]) -> None:
    answer = by_hook(slack, [change(1, kind="erased")], people=people)
    assert (answer.verdicts[1].outcome, answer.verdicts[1].reason) == outcome
    assert slack.calls == []
