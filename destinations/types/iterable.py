"""Iterable: people are subscribed to a list and unsubscribed from it.

"Unsubscribe" here means the list alone: `channelUnsubscribe` is always false, because true would end every message to a
person. A 200 names those whom it did not take, class by class.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from destinations.contract import Answer, Budget, Change, Check, DestinationType, Feed, Opened, Setting, Verdict
from destinations.transport import HTTP, Reply, encoded, hidden_in
from destinations.vendors import (
    BASE_URL,
    KEY,
    alike,
    base_of,
    entered_and_left,
    joined,
    listed,
    reason_of,
    secret_of,
    within,
)

SERVERS = {"us": "https://api.iterable.com/api", "eu": "https://api.eu.iterable.com/api"}
MOST_IN_A_CALL = 1000
LARGEST_CALL = 4 * 1024 * 1024
REFUSED = 400
REPORTS = frozenset({"successCount", "failCount", "failedUpdates"})
OUT_ALREADY = frozenset({"not_found", "forgotten"})  # whoever has to leave
ABSENT = Verdict("applied", "not_there", "Iterable does not know this person, who is on no list then.")
APPLIED = Verdict("applied")
FIELDS_LEFT_OUT = Verdict("applied", "fields_left_out", "Iterable left out fields whose type is another one there.")
TOLD = {
    "forgotten": "This person was forgotten at Iterable, which takes them no more.",
    "not_found": "Iterable does not know this person, and is told to make nobody.",
}


class IterableAdapter:
    """One list. Raises WrongAddress and ValueError where it cannot be called."""

    def __init__(self, opened: Opened) -> None:
        self._base = base_of(opened, SERVERS[opened.settings.get("region") or "us"])
        self._list = int(opened.settings["list_id"])
        self._field = str(opened.settings.get("identifier") or "email")
        self._existing_only = bool(opened.settings.get("existing_only"))
        self._headers = {"Api-Key": secret_of(opened, "api_key", "API key")}
        self._http = HTTP(opened, self._base)

    def check(self) -> Check:
        """Ask how long the list is."""
        reply = self._http.call("GET", f"{self._base}/lists/{self._list}/size", None, self._headers)
        if reply.refusal is not None and reply.refusal.kind in {"batch", "gone"}:
            return Check(ok=False, told="This list is not there.")
        if reply.refusal is not None:
            return Check(ok=False, told=reply.refusal.told)
        return Check(ok=True, told="The list is there. That it is a static one shows a test.")

    def send(self, _feed: Feed, changes: Sequence[Change]) -> Answer:
        """Subscribe who entered, then unsubscribe who left."""
        answers, hidden = [], hidden_in(changes)
        for way, some in zip(("subscribe", "unsubscribe"), entered_and_left(changes), strict=True):
            if some:
                reply = self._http.post_json(f"{self._base}/lists/{way}", self._body(way, some), self._headers, hidden)
                answers.append(self._judged(reply, some))
                if answers[-1].refusal is not None:
                    break
        return joined(*answers)

    def erase(self, _feed: Feed, change: Change) -> Answer:
        """Have the person forgotten, who can then never be made anew there."""
        body = {self._field: change.identity}
        reply = self._http.post_json(f"{self._base}/users/forget", body, self._headers, hidden_in([change]))
        if reply.refusal is not None:
            return reply.refused()
        accepted = Verdict("accepted", told="Iterable forgets this person, and takes its time.")
        return Answer(alike([change], accepted), status=reply.status, text=reply.text)

    def members(self, _feed: Feed) -> Iterator[str]:
        """Raises NotRead."""
        query = urlencode({"listId": self._list} | ({"preferUserId": "true"} if self._field == "userId" else {}))
        for line in self._http.lines(f"{self._base}/lists/getUsers?{query}", self._headers):
            if line.strip():
                yield self._comparable(line.strip())

    def preview(self, _feed: Feed, changes: Sequence[Change]) -> str:
        ways = zip(("subscribe", "unsubscribe"), entered_and_left(changes), strict=True)
        return "\n".join(f"{way} {encoded(self._body(way, some)).decode()}" for way, some in ways if some)

    def close(self) -> None:
        self._http.close()

    def _body(self, way: str, changes: Sequence[Change]) -> dict[str, Any]:
        body = {"listId": self._list, "subscribers": [self._subscriber(way, change) for change in changes]}
        if way == "unsubscribe":
            return body | {"channelUnsubscribe": False}
        return body | {"updateExistingUsersOnly": self._existing_only}

    def _subscriber(self, way: str, change: Change) -> dict[str, Any]:
        fields = {name: value for name, value in change.fields.items() if value is not None}
        carried = {"dataFields": fields} if fields and way == "subscribe" else {}
        return {self._field: change.identity} | carried

    def _judged(self, reply: Reply, changes: Sequence[Change]) -> Answer:
        """Whom it does not name is done, unless it counts more failures than it names."""
        if reply.status == REFUSED and _is_about_the_list(reply):
            return reply.refused("gone", "no_such_list", "This list is not there, or is not a static one.")
        if reply.refusal is not None:
            return reply.refused()
        if not REPORTS & reply.object.keys():
            return reply.refused("unavailable", "nothing_reported", "Iterable answered, and does not say what it did.")
        named = self._named(reply, changes)
        failed = reply.object.get("failCount")
        done = FIELDS_LEFT_OUT if reply.object.get("filteredOutFields") else APPLIED
        others = {} if isinstance(failed, int) and failed > len(named) else alike(changes, done)
        return Answer(others | named, status=reply.status, text=reply.text)

    def _named(self, reply: Reply, changes: Sequence[Change]) -> dict[int, Verdict]:
        by_identity = {self._comparable(change.identity): change for change in changes}
        top = {name: reply.object.get(name) for name in ("invalidEmails", "invalidUserIds")}
        found = {}
        for name, identities in {**top, **within(reply.object, "failedUpdates")}.items():
            reason = reason_of(re.sub(r"(?:Emails|UserIds)$", "", name), "failed")
            for identity in listed(identities):
                change = by_identity.get(self._comparable(str(identity)))
                if change is not None:
                    found[change.id] = _failed(change, reason)
        return found

    def _comparable(self, identity: str) -> str:
        """E-mails are the same there in capitals and small letters; user ids are not."""
        return identity.lower() if self._field == "email" else identity


def _failed(change: Change, reason: str) -> Verdict:
    if change.kind != "entered" and reason in OUT_ALREADY:
        return ABSENT
    return Verdict("rejected", reason, TOLD.get(reason, "Iterable does not take this person."))


def _is_about_the_list(reply: Reply) -> bool:
    told = re.sub(r"\[[^\[\]]*\]|/api\S*", "", str(reply.object.get("msg", "")))
    return re.search(r"\blist(?:\s?id)?\b", told, re.IGNORECASE) is not None


def _open(opened: Opened) -> IterableAdapter:
    return IterableAdapter(opened)


ITERABLE = DestinationType(
    name="iterable",
    words="Iterable",
    help="Keeps a static list equal to the cohort. Nobody's consent is touched.",
    family="level",
    once="A",
    settings=(
        Setting("region", "Region", "choice", "Of your data center.", default="us", choices=tuple(SERVERS)),
        Setting(
            "list_id",
            "List's id",
            help="Of a static list: at Audience, Lists, and in the address of its page.",
            required=True,
            example="12",
            pattern=r"[0-9]{1,18}",
        ),
        Setting(
            "identifier",
            "Kind of identity",
            "choice",
            "What the subscription's identity is, as the type of your project says (Settings, Project Settings).",
            default="email",
            choices=("email", "userId"),
        ),
        Setting(
            "existing_only",
            "Known users only",
            "flag",
            "On: nobody whom Iterable does not know is made there.",
            default=False,
        ),
        BASE_URL,
        Setting(
            "api_key",
            "API key",
            help="At Integrations, API Keys, New API Key, of the type Server-side.",
            required=True,
            secret=True,
            pattern=KEY,
        ),
    ),
    open=_open,
    budget=Budget(rate=5, concurrency=2),
    batch=MOST_IN_A_CALL,
    body_bytes=LARGEST_CALL,
    one_subscription=True,
    carries_fields=True,
    reads_back=True,
    erases=True,
    deletes_people=True,
    promise="Who is on the list is not added again, so a repeat changes nothing.",
)
