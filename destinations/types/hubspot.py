"""HubSpot: contacts are put on a static list and taken off it.

A list takes ids of contacts only. So an e-mail is first made a contact, which HubSpot does by an upsert, and the id is
remembered for each identity. Each change goes with our own id (`objectWriteTraceId`), by which errors are told apart.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from destinations.contract import Answer, Budget, Change, Check, DestinationType, Feed, Opened, Setting, Verdict
from destinations.transport import HTTP, NotRead, Reply, encoded, hidden_in
from destinations.vendors import (
    KEY,
    alike,
    base_of,
    entered_and_left,
    joined,
    listed,
    reason_of,
    records_of,
    rows,
    secret_of,
    within,
)

VENDORS = "https://api.hubapi.com"
VERSIONS = ("2026-03", "2026-09", "2025-09")
MOST_IN_A_CALL = 100
PAGE = 250  # of a list that is read
CONTACTS = "0-1"  # their type
CAN_BE_CHANGED = frozenset({"MANUAL", "SNAPSHOT"})
REFUSED, NOT_THERE = 400, 404
BUSY_WITH_ITSELF = frozenset({423, 477})  # locked, and being moved to another data centre
A_DAYS_CALLS, AN_HOUR = "DAILY", 3600.0
TRANSIENT = frozenset({"RATE_LIMITS", "RATE_LIMIT", "INTERNAL_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"})
LISTED = frozenset({"recordsIdsAdded", "recordIdsAdded", "recordIdsRemoved", "recordIdsMissing"})
CONTACT_GONE = Verdict("retry", "contact_gone", "HubSpot has no contact of the id that it gave us.")
ABSENT = Verdict("applied", "not_there", "HubSpot has no such contact, so that it is on no list.")


class HubSpotAdapter:
    """One list. Raises WrongAddress and ValueError where it cannot be called."""

    def __init__(self, opened: Opened) -> None:
        version, base = opened.settings.get("version") or VERSIONS[0], base_of(opened, VENDORS)
        self._contacts = f"{base}/crm/objects/{version}/contacts"
        self._list = f"{base}/crm/lists/{version}/{opened.settings['list_id']}"
        self._headers = {"Authorization": f"Bearer {secret_of(opened, 'token', 'token')}"}
        self._http = HTTP(opened, base)

    def check(self) -> Check:
        """Look at the list."""
        reply = self._http.call("GET", self._list, None, self._headers)
        if reply.refusal is not None:
            return Check(ok=False, told=reply.refusal.told)
        found = reply.object.get("list")
        if not isinstance(found, dict) or found.get("objectTypeId", CONTACTS) != CONTACTS:
            return Check(ok=False, told="This is no list of contacts.")
        if str(found.get("processingType")) not in CAN_BE_CHANGED:
            return Check(ok=False, told="This list makes itself (it is active); take a static one.")
        return Check(ok=True, told="The list is there and can be changed.")

    def send(self, _feed: Feed, changes: Sequence[Change]) -> Answer:
        """Find or make the contacts, then change the list. Whose remembered id is gone is looked for once more."""
        first = self._round(changes, hidden_in(changes), remembered=True)
        gone = [change for change in changes if first.verdicts.get(change.id) == CONTACT_GONE]
        if first.refusal is not None or not gone:
            return first
        return joined(first, self._round(gone, hidden_in(changes), remembered=False))

    def erase(self, _feed: Feed, change: Change) -> Answer:
        """Delete the contact for good, as the GDPR asks."""
        body = {"idProperty": "email", "objectId": change.identity}
        reply = self._http.post_json(f"{self._contacts}/gdpr-delete", body, self._headers, hidden_in([change]))
        if reply.status != NOT_THERE and reply.refusal is not None:
            return _refused(reply)
        done = ABSENT if reply.status == NOT_THERE else Verdict("applied", told="HubSpot deletes the contact for good.")
        return Answer(alike([change], done), status=reply.status, text=reply.text)

    def members(self, _feed: Feed) -> Iterator[str]:
        """Raises NotRead."""
        after: Any = ""
        while after is not None:
            query = urlencode({"limit": PAGE} | ({"after": after} if after else {}))
            page = self._read(self._http.call("GET", f"{self._list}/memberships?{query}", None, self._headers))
            ids = [str(row.get("recordId")) for row in rows(page.get("results"))]
            for start in range(0, len(ids), MOST_IN_A_CALL):
                yield from self._emails(ids[start : start + MOST_IN_A_CALL])
            after = within(page, "paging", "next").get("after")

    def preview(self, _feed: Feed, changes: Sequence[Change]) -> str:
        entered, _left = entered_and_left(changes)
        shown = {change.id: change.vendor_id or "…" for change in changes}
        upsert = [encoded({"inputs": [_input(change) for change in entered]}).decode()] if entered else []
        return "\n".join([*upsert, encoded(_listing(changes, shown)).decode()])

    def close(self) -> None:
        self._http.close()

    def _round(self, changes: Sequence[Change], hidden: Sequence[str], *, remembered: bool) -> Answer:
        ids = {change.id: change.vendor_id for change in changes if change.vendor_id and not _needs_writing(change)}
        ids = ids if remembered else {}
        entered, left = entered_and_left([change for change in changes if change.id not in ids])
        answers = []
        for ask, some in ((self._upserted, entered), (self._looked_up, left)):
            if some:
                found, answer = ask(some, hidden)
                ids |= found
                answers.append(answer)
                if answer.refusal is not None:
                    return joined(*answers)
        known = [change for change in changes if change.id in ids]
        return joined(*answers, *([self._listed(known, ids, hidden)] if known else []))

    def _upserted(self, changes: Sequence[Change], hidden: Sequence[str]) -> tuple[dict[int, str], Answer]:
        """Make contacts, or find them, and return their ids."""
        body = {"inputs": [_input(change) for change in changes]}
        reply = self._http.post_json(f"{self._contacts}/batch/upsert", body, self._headers, hidden)
        if reply.refusal is not None:
            return {}, _refused(reply)
        found, verdicts = _ids(reply, changes), _errors(reply, changes)
        if not found and not verdicts and not rows(reply.object.get("errors")):
            told = "HubSpot answered as if all were well, and reports nothing written."
            return {}, reply.refused("unavailable", "nothing_written", told)
        return found, Answer(verdicts, status=reply.status, text=reply.text)

    def _looked_up(self, changes: Sequence[Change], hidden: Sequence[str]) -> tuple[dict[int, str], Answer]:
        """Return the ids of those who are contacts; nobody is made one in order to leave."""
        body = _question([change.identity for change in changes]) | {"idProperty": "email"}
        reply = self._http.post_json(f"{self._contacts}/batch/read", body, self._headers, hidden)
        if reply.refusal is not None:
            return {}, _refused(reply)
        absent = {str(name).lower() for error in rows(reply.object.get("errors")) for name in _context(error, "ids")}
        verdicts = alike([change for change in changes if change.identity.lower() in absent], ABSENT)
        return _ids(reply, changes), Answer(verdicts, status=reply.status, text=reply.text)

    def _listed(self, changes: Sequence[Change], ids: Mapping[int, str], hidden: Sequence[str]) -> Answer:
        """Change the list in one call."""
        headers = {"Content-Type": "application/json"} | self._headers
        address = f"{self._list}/memberships/add-and-remove"
        reply = self._http.call("PUT", address, encoded(_listing(changes, ids)), headers, [*hidden, *ids.values()])
        if reply.status == REFUSED:
            return reply.refused("gone", "list_not_static", "HubSpot lets nobody change this list: take a static one.")
        if reply.refusal is not None:
            return _refused(reply)
        if not LISTED & reply.object.keys():
            return reply.refused("unavailable", "nothing_listed", "HubSpot does not say what became of the list.")
        missing = {str(record) for record in listed(reply.object.get("recordIdsMissing"))}
        verdicts = {change.id: _verdict(change, ids[change.id], missing) for change in changes}
        return Answer(verdicts, status=reply.status, text=reply.text)

    def _emails(self, ids: Sequence[str]) -> Iterator[str]:
        page = self._read(self._http.post_json(f"{self._contacts}/batch/read", _question(ids), self._headers))
        for row in rows(page.get("results")):
            if email := within(row, "properties").get("email"):
                yield str(email).lower()

    def _read(self, reply: Reply) -> dict[str, Any]:
        if reply.refusal is not None or "results" not in reply.object:
            raise NotRead(reply.refusal.told if reply.refusal else "The answer is no list of contacts.")
        return reply.object


def _input(change: Change) -> dict[str, Any]:
    fields = {name: _text(value) for name, value in change.fields.items() if value is not None}
    properties = {**fields, "email": change.identity}
    return {"idProperty": "email", "id": change.identity, "properties": properties, "objectWriteTraceId": change.key}


def _needs_writing(change: Change) -> bool:
    return change.kind == "entered" and bool(change.fields)


def _question(ids: Sequence[str]) -> dict[str, Any]:
    return {"inputs": [{"id": one} for one in ids], "properties": ["email"], "propertiesWithHistory": []}


def _text(value: Any) -> str:
    """Return a value as HubSpot has all of them."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _listing(changes: Sequence[Change], ids: Mapping[int, str]) -> dict[str, list[str]]:
    added, removed = records_of(changes, ids)
    return {"recordIdsToAdd": added, "recordIdsToRemove": removed}


def _verdict(change: Change, record: str, missing: set[str]) -> Verdict:
    if record not in missing:
        return Verdict("applied", vendor_id=record)
    return CONTACT_GONE if change.kind == "entered" else ABSENT


def _ids(reply: Reply, changes: Sequence[Change]) -> dict[int, str]:
    """Return whose id a result is: by our own id, by the e-mail, or because nobody else is left."""
    found_rows = [row for row in rows(reply.object.get("results")) if row.get("id")]
    traces = {change.key: change.id for change in changes}
    emails = {change.identity.lower(): change.id for change in changes}
    found, loose = {}, []
    for row in found_rows:
        email = str(within(row, "properties").get("email") or "").lower()
        number = traces.get(str(row.get("objectWriteTraceId")), emails.get(email))
        if number is None:
            loose.append(str(row["id"]))
        else:
            found[number] = str(row["id"])
    left = [change.id for change in changes if change.id not in found]
    return found | (dict(zip(left, loose, strict=True)) if len(left) == len(loose) == 1 else {})


def _errors(reply: Reply, changes: Sequence[Change]) -> dict[int, Verdict]:
    traces = {change.key: change.id for change in changes}
    verdicts = {}
    for error in rows(reply.object.get("errors")):
        category = str(error.get("category"))
        reason = reason_of(category, "refused")
        outcome: Any = "retry" if category in TRANSIENT else "rejected"
        for trace in _context(error, "objectWriteTraceId"):
            if (number := traces.get(str(trace))) is not None:
                verdicts[number] = Verdict(outcome, reason, "HubSpot does not take this contact.")
    return verdicts


def _refused(reply: Reply) -> Answer:
    """A limit of the day lasts until midnight where the account is, which nobody tells: ask again every hour."""
    if reply.status in BUSY_WITH_ITSELF:
        return reply.refused("unavailable")
    policy = reply.object.get("policyName")
    if reply.refusal is None or reply.refusal.kind != "throttled" or policy is None:
        return reply.refused()
    wait = reply.refusal.wait
    if policy == A_DAYS_CALLS:
        wait = max(wait or 0.0, AN_HOUR)
    return reply.refused(reason=reason_of(policy, "throttled"), wait=wait)


def _context(error: Mapping[str, Any], name: str) -> list[Any]:
    return listed(within(error, "context").get(name))


def _open(opened: Opened) -> HubSpotAdapter:
    return HubSpotAdapter(opened)


HUBSPOT = DestinationType(
    name="hubspot",
    words="HubSpot",
    help="Keeps a static list of contacts equal to the cohort, by e-mail.",
    family="level",
    once="A",
    settings=(
        Setting(
            "list_id",
            "List's id",
            help="Of a static list of contacts: on its page at Details, as ILS List ID.",
            required=True,
            example="12",
            pattern=r"[0-9]{1,18}",
        ),
        Setting(
            "version",
            "Version",
            "choice",
            "Of HubSpot's interface.",
            default=VERSIONS[0],
            choices=VERSIONS,
        ),
        Setting(
            "token",
            "Token",
            help="Of a private app, with crm.objects.contacts.write, crm.objects.contacts.read, crm.lists.read and"
            " crm.lists.write.",
            required=True,
            secret=True,
            pattern=KEY,
        ),
    ),
    open=_open,
    base_url=VENDORS,
    budget=Budget(rate=4, concurrency=2),
    identities=("email",),
    batch=MOST_IN_A_CALL,
    one_subscription=True,
    carries_fields=True,
    reads_back=True,
    erases=True,
    deletes_people=True,
    promise="Who is on the list is not added again, and a contact is made once: a repeat changes nothing.",
)
