"""Klaviyo: profiles are put on a list and taken off it.

A list takes Klaviyo's own ids only, so that a profile is first made or found, one a call, and its id remembered for
each identity. The jobs that subscribe and unsubscribe are never used: they are about consent, and one of them
unsubscribes a person from everything.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode

from destinations.contract import (
    Answer,
    Budget,
    Change,
    Check,
    DestinationType,
    Feed,
    Opened,
    Refusal,
    Setting,
    Verdict,
)
from destinations.transport import HTTP, NotRead, Reply, encoded, hidden_in
from destinations.vendors import (
    KEY,
    alike,
    base_of,
    entered_and_left,
    joined,
    reason_of,
    records_of,
    rows,
    secret_of,
    within,
)

VENDORS = "https://a.klaviyo.com/api"
REVISION = "2026-07-15"  # of the interface: stable for a year, and there for one more
JSON_API = "application/vnd.api+json"
MOST_IN_A_CALL = 50  # profiles are made one by one, 750 a minute
PAGE = 100  # of a list that is read
CONFLICT, ABOUT_DATA = 409, frozenset({"batch", "size"})
NOT_THERE = 404
NAMING = frozenset({400, NOT_THERE})  # what an answer about a profile in a list's call has
ATTRIBUTES = frozenset({"first_name", "last_name", "organization", "locale", "image"})
PROFILE_GONE = Verdict("retry", "profile_gone", "Klaviyo has no profile of the id that it gave us.")
ABSENT = Verdict("applied", "not_there", "Klaviyo has no such profile, so that it is on no list.")
LATER = Refusal("throttled", "one_by_one", "Profiles are made one by one; the rest follows.", wait=1.0)
QUEUED = Verdict("accepted", told="Klaviyo deletes this profile, and takes its time.")


class KlaviyoAdapter:
    """One list. Raises WrongAddress and ValueError where it cannot be called."""

    def __init__(self, opened: Opened) -> None:
        self._base = base_of(opened, VENDORS)
        self._list = f"{self._base}/lists/{opened.settings['list_id']}"
        self._field = str(opened.settings.get("identifier") or "email")
        key = secret_of(opened, "api_key", "API key")
        own = {"Authorization": f"Klaviyo-API-Key {key}", "revision": REVISION, "Accept": JSON_API}
        self._headers, self._sending = own, own | {"Content-Type": JSON_API}
        self._patience = float(opened.settings.get("timeout_seconds") or 30)
        self._http = HTTP(opened, self._base)

    def check(self) -> Check:
        """Look at the list."""
        reply = self._http.call("GET", self._list, None, self._headers)
        return Check(ok=True, told="The list is there.") if reply.refusal is None else Check(False, reply.refusal.told)

    def send(self, _feed: Feed, changes: Sequence[Change]) -> Answer:
        """Find or make the profiles, then change the list. Whose remembered id is gone is looked for once more."""
        first = self._round(changes, remembered=True)
        gone = [change for change in changes if first.verdicts.get(change.id) == PROFILE_GONE]
        return joined(first, self._round(gone, remembered=False)) if gone and first.refusal is None else first

    def erase(self, _feed: Feed, change: Change) -> Answer:
        """Ask for the deletion of the profile."""
        person: dict[str, Any] = {"type": "profile", "attributes": {}}
        hidden = hidden_in([change])
        if change.vendor_id or self._field == "external_id":
            known = (change.vendor_id, Answer()) if change.vendor_id else self._profile(change, hidden)
            if not known[0]:
                return known[1]
            person["id"] = known[0]
        else:
            person["attributes"] = {self._field: change.identity}
        body = {"data": {"type": "data-privacy-deletion-job", "attributes": {"profile": {"data": person}}}}
        reply = self._call("POST", f"{self._base}/data-privacy-deletion-jobs", body, hidden)
        if reply.refusal is not None:
            return reply.refused()
        return Answer(alike([change], QUEUED), status=reply.status, text=reply.text)

    def members(self, _feed: Feed) -> Iterator[str]:
        """Raises NotRead."""
        cursor: str | None = ""
        while cursor is not None:
            query = {"fields[profile]": self._field, "page[size]": PAGE} | ({"page[cursor]": cursor} if cursor else {})
            reply = self._http.call("GET", f"{self._list}/profiles?{urlencode(query)}", None, self._headers)
            if reply.refusal is not None or "data" not in reply.object:
                raise NotRead(reply.refusal.told if reply.refusal else "The answer is no list of profiles.")
            for row in rows(reply.object.get("data")):
                if identity := within(row, "attributes").get(self._field):
                    yield str(identity).lower() if self._field == "email" else str(identity)
            following = str(within(reply.object, "links").get("next") or "")
            cursor = next(iter(parse_qs(following.partition("?")[2]).get("page[cursor]", [])), None)

    def preview(self, _feed: Feed, changes: Sequence[Change]) -> str:
        profiles = [encoded(self._described(change)).decode() for change in changes if change.kind == "entered"]
        added, removed = records_of(changes, {change.id: change.vendor_id or "…" for change in changes})
        listed = [encoded(_listing(ids)).decode() for ids in (added, removed) if ids]
        return "\n".join([*profiles, *listed])

    def close(self) -> None:
        self._http.close()

    def _round(self, changes: Sequence[Change], *, remembered: bool) -> Answer:
        ids: dict[int, str] = {}
        answers, hidden = list[Answer](), hidden_in(changes)
        until = time.monotonic() + self._patience
        for change in changes:
            if remembered and change.vendor_id and not (change.kind == "entered" and change.fields):
                ids[change.id] = change.vendor_id
            elif not answers or answers[-1].refusal is None:
                is_time = not answers or time.monotonic() < until
                found, answer = self._profile(change, hidden) if is_time else ("", Answer(refusal=LATER))
                ids |= {change.id: found} if found else {}
                answers.append(answer)
        stopped = answers[-1].refusal if answers else None
        if stopped is None or stopped.kind == "throttled":  # other calls have limits of their own
            answers += self._listed([change for change in changes if change.id in ids], ids, hidden)
        return joined(*answers)

    def _profile(self, change: Change, hidden: Sequence[str]) -> tuple[str, Answer]:
        """Make a profile or find it, and return its id; empty where the answer says why there is none."""
        reply = self._call("POST", f"{self._base}/profile-import", self._described(change), hidden)
        found = within(reply.object, "data").get("id")
        if reply.status == CONFLICT:
            found = next((within(one, "meta").get("duplicate_profile_id") for one in _errors(reply)), None)
        elif reply.refusal is not None:
            found = None
        if found:
            return str(found), Answer(status=reply.status)
        if reply.refusal is None:
            told = "Klaviyo answered as if all were well, and names no profile."
            return "", reply.refused("unavailable", "no_profile", told)
        if reply.refusal.kind not in ABOUT_DATA:
            return "", reply.refused()
        reason = next((reason_of(one.get("code"), "refused") for one in _errors(reply)), "refused")
        rejected = Verdict("rejected", reason, "Klaviyo does not take this profile.")
        return "", Answer(alike([change], rejected), status=reply.status, text=reply.text)

    def _listed(self, changes: Sequence[Change], ids: Mapping[int, str], hidden: Sequence[str]) -> Iterator[Answer]:
        """Add who entered, then remove who left."""
        ways = zip(("POST", "DELETE"), entered_and_left(changes), records_of(changes, ids), strict=True)
        for method, some, records in ways:
            if some:
                found = {change.id: ids[change.id] for change in some}
                yield (answer := self._told(method, found, records, [*hidden, *records]))
                if answer.refusal is not None:
                    return

    def _told(self, method: str, ids: Mapping[int, str], records: Sequence[str], hidden: Sequence[str]) -> Answer:
        """Tell the list of `records`, which stand for the changes of `ids`."""
        done = {number: Verdict("applied", vendor_id=record) for number, record in ids.items()}
        if not records:  # each of them is in under another identity too, or there is nobody left
            return Answer(done)
        reply = self._call(method, f"{self._list}/relationships/profiles", _listing(records), hidden)
        if reply.refusal is None:
            return Answer(done, status=reply.status, text=reply.text)
        if reply.status not in NAMING:
            return reply.refused()
        there = self._http.call("GET", self._list, None, self._headers)
        if there.refusal is not None:
            return there.refused()
        missing = set(records) if len(records) == 1 and reply.status == NOT_THERE else _missing(reply, records)
        if not missing:
            return reply.refused("batch", "profile_gone", "A profile in this call is not there any more.")
        # The list is there, so that a profile in the call is not: the others go without it.
        gone = PROFILE_GONE if method == "POST" else ABSENT
        rest = {number: record for number, record in ids.items() if record not in missing}
        others = self._told(method, rest, [record for record in records if record not in missing], hidden)
        return joined(Answer({number: gone for number in ids if number not in rest}), others)

    def _described(self, change: Change) -> dict[str, Any]:
        given = {name: value for name, value in change.fields.items() if value is not None and change.kind == "entered"}
        own = {name: value for name, value in given.items() if name in ATTRIBUTES}
        further = {name: value for name, value in given.items() if name not in ATTRIBUTES}
        attributes = {**own, self._field: change.identity} | ({"properties": further} if further else {})
        return {"data": {"type": "profile", "attributes": attributes}}

    def _call(self, method: str, address: str, body: Any, hidden: Sequence[str]) -> Reply:
        return self._http.call(method, address, encoded(body), self._sending, hidden)


def _listing(records: Sequence[str]) -> dict[str, Any]:
    return {"data": [{"type": "profile", "id": record} for record in records]}


def _errors(reply: Reply) -> list[dict[str, Any]]:
    return rows(reply.object.get("errors"))


def _missing(reply: Reply, records: Sequence[str]) -> set[str]:
    """Return the ids that errors point to by their place."""
    pointers = [str(within(error, "source").get("pointer") or "").split("/") for error in _errors(reply)]
    places = [int(parts[2]) for parts in pointers if parts[:2] == ["", "data"] and parts[2:] and parts[2].isdecimal()]
    return {records[place] for place in places if place < len(records)}


def _open(opened: Opened) -> KlaviyoAdapter:
    return KlaviyoAdapter(opened)


KLAVIYO = DestinationType(
    name="klaviyo",
    words="Klaviyo",
    help="Keeps a list equal to the cohort. Nobody's consent is touched.",
    family="level",
    once="A",
    settings=(
        Setting(
            "list_id",
            "List's id",
            help="Six letters and digits: at Audience, Lists & segments, your list, Settings, and in its address.",
            required=True,
            example="Y6nRLr",
            pattern=r"[A-Za-z0-9]{4,40}",
        ),
        Setting(
            "identifier",
            "Kind of identity",
            "choice",
            "What the subscription's identity is there.",
            default="email",
            choices=("email", "phone_number", "external_id"),
        ),
        Setting(
            "api_key",
            "Private API key",
            help="At Settings, API keys, Create Private API Key: full access to Lists and Profiles; to Data Privacy for"
            " erasures.",
            required=True,
            secret=True,
            pattern=KEY,
        ),
    ),
    open=_open,
    base_url=VENDORS,
    budget=Budget(rate=0.25, concurrency=1),
    batch=MOST_IN_A_CALL,
    one_subscription=True,
    carries_fields=True,
    reads_back=True,
    erases=True,
    deletes_people=True,
    promise="Who is on the list is not added again, and a profile is made once: a repeat changes nothing.",
)
