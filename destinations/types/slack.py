"""A message in a Slack channel that says how many entered and left, or a line for each of them.

Slack knows no key by which a repeat is dropped, and people read it: what may have been posted is not posted again. A
message carries what is waiting, so that an export is a few messages and not one for each person.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from destinations.contract import (
    Answer,
    Budget,
    Change,
    Check,
    DestinationType,
    Feed,
    Opened,
    RefusalKind,
    Setting,
    Verdict,
)
from destinations.transport import HTTP, Reply, hidden_in
from destinations.vendors import KEY, alike, base_of, cannot_erase, joined, reason_of, secret_of
from destinations.waits import wait_of

VENDORS = "https://slack.com/api"
MOST_IN_A_MESSAGE = 1000  # changes
MOST_NAMED = 100  # people in one message, of which Slack cuts what is beyond 40,000 characters
LONGEST_NAME = 100  # characters
LONGEST_LINE = 300
POSTED = Verdict("applied", told="It was posted.")
NEVER_NAMED = Verdict("applied", "never_named", "Messages here name nobody.")
UNHEARD = 500

# What Slack says in a 200 that is no success, or in a text beside a 4xx.
_MEANINGS: dict[RefusalKind, tuple[str, ...]] = {
    "credentials": (
        *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "no_permission"),
        *("missing_scope", "not_allowed_token_type", "org_login_required", "ekm_access_denied", "access_denied"),
        *("team_access_not_granted", "restricted_action", "restricted_action_read_only_channel", "invalid_token"),
        *("restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "action_prohibited"),
        *("posting_to_general_channel_denied", "deprecated_endpoint", "method_deprecated", "two_factor_setup_required"),
    ),
    "gone": ("channel_not_found", "not_in_channel", "is_archived", "channel_is_archived", "no_service", "no_team"),
    "throttled": ("ratelimited", "rate_limited", "message_limit_exceeded"),
    "unavailable": ("service_unavailable", "team_added_to_org"),
    "unknown": ("fatal_error", "internal_error", "request_timeout", "rollup_error"),
}
KINDS: dict[str, RefusalKind] = {code: kind for kind, codes in _MEANINGS.items() for code in codes}


class SlackAdapter:
    """One channel, by an incoming webhook or by a bot's token. Raises WrongAddress and ValueError where neither can be
    called."""

    def __init__(self, opened: Opened) -> None:
        self._channel = opened.settings.get("channel") or ""
        self._names_people = bool(opened.settings.get("people"))
        self._hook = next(iter(opened.secrets.get("webhook_url", ())), "")
        self._token = "" if self._hook else secret_of(opened, "token", "webhook address, and no token")
        if not self._hook and not self._channel:
            raise ValueError("A token needs the channel that it posts to.")
        self._api = base_of(opened, VENDORS)
        self._url = self._hook or f"{self._api}/chat.postMessage"
        self._clock = opened.clock
        self._hidden = [urlsplit(self._hook).path] if self._hook else []
        self._http = HTTP(opened, self._url, unheard="unknown")

    def check(self) -> Check:
        """Ask whose token it is; a webhook is asked to post nothing at all, which it refuses."""
        if self._hook:
            reply = self._http.post_json(self._hook, {}, hidden=self._hidden)
        else:
            reply = self._http.call("GET", f"{self._api}/auth.test", None, self._headers)
        code = _code_of(reply)
        if code in {"ok", "no_text", "invalid_payload", "missing_text_or_fallback_or_attachments"}:
            return Check(ok=True, told="It answers, and nothing was posted.")
        if reply.status is None and reply.refusal is not None:
            return Check(ok=False, told=reply.refusal.told)
        return Check(ok=False, told=f"It answered {reply.status}{f' ({code})' if code else ''}: it would post nothing.")

    def send(self, feed: Feed, changes: Sequence[Change]) -> Answer:
        """Post one message. Nothing is posted of who is erased: that would name them once more."""
        erased = cannot_erase(changes, "What was posted stays in Slack: delete it there.")
        erased = erased if self._names_people else dict.fromkeys(erased, NEVER_NAMED)
        told = [change for change in changes if change.id not in erased]
        return joined(Answer(erased), *([self._posted(feed, told)] if told else []))

    def preview(self, feed: Feed, changes: Sequence[Change]) -> str:
        return str(self._body(feed, changes)["text"])

    def close(self) -> None:
        self._http.close()

    def _posted(self, feed: Feed, changes: Sequence[Change]) -> Answer:
        words = hidden_in(changes)
        hidden = [*self._hidden, *words, *(escaped(word, LONGEST_NAME) for word in words)]
        return self._judged(self._http.post_json(self._url, self._body(feed, changes), self._headers, hidden), changes)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _body(self, feed: Feed, changes: Sequence[Change]) -> dict[str, Any]:
        body: dict[str, Any] = {"text": "\n".join(self._lines(feed, changes))}
        if self._token:
            body |= {"channel": self._channel, "unfurl_links": False, "unfurl_media": False}
        return body

    def _lines(self, feed: Feed, changes: Sequence[Change]) -> Iterator[str]:
        """A line for each session, in the order of the log."""
        counts = Counter((change.session_id, _kind(change)) for change in changes)
        for session in dict.fromkeys(session for session, _ in counts):
            found = [(counts[session, kind], kind) for kind in ("entered", "left")]
            counted = ", ".join(f"{count:,} {kind}" for count, kind in found if count)
            yield f"*{escaped(feed.cohort_name, LONGEST_LINE)}*: {counted}{f' (session {session})' if session else ''}"
        if self._names_people:
            yield from (f"• {_named(change)}" for change in changes[:MOST_NAMED])
            if len(changes) > MOST_NAMED:
                yield f"… and {len(changes) - MOST_NAMED:,} more"

    def _judged(self, reply: Reply, changes: Sequence[Change]) -> Answer:
        """200 is posted only where it says so; what is about this message is rejected, and no attempt to be halved."""
        code = _code_of(reply)
        if reply.status is None or reply.status >= UNHEARD:
            return reply.refused()
        if reply.refusal is None and code == "ok":
            return Answer(alike(changes, POSTED), status=reply.status, text=code)  # the answer repeats the message
        if code in KINDS:
            return self._refused(reply, code)
        if reply.refusal is None and not code:
            return reply.refused("unknown", "unlike_slack", "It answered 200, and not as Slack does.")
        if reply.refusal is not None and reply.refusal.kind not in {"batch", "size"}:
            return reply.refused()
        told = "Slack refuses the message."
        return Answer(
            alike(changes, Verdict("rejected", code or "refused", told)), status=reply.status, text=reply.text
        )

    def _refused(self, reply: Reply, code: str) -> Answer:
        wait = wait_of(reply.headers, self._clock()) if KINDS[code] == "throttled" else None
        return reply.refused(KINDS[code], code, f"Slack says {code}.", wait)


def escaped(text: str, longest: int) -> str:
    """Return a text in one line that says to Slack nothing but itself."""
    shown = " ".join(text.split())
    shown = shown if len(shown) <= longest else f"{shown[:longest]}…"
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _kind(change: Change) -> str:
    return "entered" if change.kind == "entered" else "left"


def _named(change: Change) -> str:
    told = "; ".join(f"{name}: {value}" for name, value in change.fields.items() if value is not None)
    who = escaped(change.identity, LONGEST_NAME)
    return f"{_kind(change)}: {who}{f' ({escaped(told, LONGEST_LINE)})' if told else ''}"


def _code_of(reply: Reply) -> str:
    """Return `ok`, or the code that Slack gives; empty where it gives none."""
    body = reply.json
    if isinstance(body, dict):
        refused = reason_of(body.get("error"), "refused") if "error" in body or body.get("ok") is False else ""
        return "ok" if body.get("ok") is True else refused
    return reason_of(reply.body.decode("utf-8", "replace").strip(), "")


def _open(opened: Opened) -> SlackAdapter:
    return SlackAdapter(opened)


SLACK = DestinationType(
    name="slack",
    words="Slack",
    help="Posts how many entered and left to a channel; with a line for each person only where that is chosen.",
    family="edge",
    once="C",
    settings=(
        Setting(
            "channel",
            "Channel",
            help="The channel's id, with a token only: at the end of the channel's details. Invite the app to it.",
            example="C0123456789",
            pattern=r"[#A-Za-z0-9_.-]{1,100}",
        ),
        Setting(
            "people",
            "Name people",
            "flag",
            "A line for each person, with identity and fields, for the first 100 of a message.",
            default=False,
        ),
        Setting(
            "webhook_url",
            "Webhook address",
            "url",
            "At api.slack.com/apps, your app, Incoming Webhooks. Whoever knows it can post.",
            secret=True,
            example="https://hooks.slack.com/services/…",
        ),
        Setting(
            "token",
            "Bot token",
            help="Instead of a webhook: at api.slack.com/apps, your app, OAuth & Permissions; it needs chat:write.",
            secret=True,
            pattern=KEY,
        ),
    ),
    open=_open,
    base_url=VENDORS,
    budget=Budget(rate=1, concurrency=1),
    batch=MOST_IN_A_MESSAGE,
    human=True,
    carries_fields=True,
    promise="At most once: Slack drops no repeats, so a message whose answer was lost waits for a person.",
)
