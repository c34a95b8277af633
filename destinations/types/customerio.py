"""Customer.io: people are added to a manual segment and removed from it.

200 means that the call was taken; ids that Customer.io does not know are left out without a word, so that `accepted` is
all that can be said. The segment can be read with a second key, of the App API.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from destinations.contract import Answer, Budget, Change, Check, DestinationType, Feed, Opened, Setting, Verdict
from destinations.transport import HTTP, NotRead, Reply, encoded, hidden_in
from destinations.vendors import (
    BASE_URL,
    KEY,
    alike,
    base_of,
    basic,
    entered_and_left,
    joined,
    listed,
    rows,
    secret_of,
    within,
)

TRACK = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}
APP = {"us": "https://api.customer.io", "eu": "https://api-eu.customer.io"}
MOST_IN_A_CALL = 1000
PAGE = 1000  # of a segment that is read
REFUSED = 400
SENT = Verdict("accepted", told="Customer.io took it; it leaves out ids that it does not know without a word.")
ERASED = Verdict("applied", told="Customer.io deleted the person.")


class CustomerIOAdapter:
    """One segment. Raises WrongAddress and ValueError where it cannot be called."""

    def __init__(self, opened: Opened) -> None:
        self._region = str(opened.settings.get("region") or "us")
        self._track, self._app = (base_of(opened, servers[self._region]) for servers in (TRACK, APP))
        self._id_type = str(opened.settings.get("id_type") or "id")
        self._segment = quote(str(opened.settings["segment_id"]), safe="")
        site, key = secret_of(opened, "site_id", "site id"), secret_of(opened, "api_key", "API key")
        self._key = basic(site, key)
        self._headers = {"Authorization": f"Basic {self._key}"}
        self._app_key = next(iter(opened.secrets.get("app_api_key", ())), "")
        self._http = HTTP(opened, self._track, self._app)

    def check(self) -> Check:
        """Ask in which region the account is."""
        reply = self._http.call("GET", f"{self._track}/api/v1/accounts/region", None, self._headers, [self._key])
        if reply.refusal is not None:
            return Check(ok=False, told=reply.refusal.told)
        if reply.object.get("region") != self._region:
            return Check(ok=False, told=f"This account is in another region than {self._region}.")
        return Check(ok=True, told="It takes these credentials. A test shows whether the segment is a manual one.")

    def send(self, _feed: Feed, changes: Sequence[Change]) -> Answer:
        """Add who entered, then remove who left."""
        answers, hidden = [], [self._key, *hidden_in(changes)]
        for way, told in zip(("add_customers", "remove_customers"), entered_and_left(changes), strict=True):
            if told:
                answers.append(self._told(way, told, hidden))
                if answers[-1].refusal is not None:
                    break
        return joined(*answers)

    def erase(self, _feed: Feed, change: Change) -> Answer:
        """Delete the person."""
        address = f"{self._track}/api/v1/customers/{quote(change.identity, safe='')}"
        reply = self._http.call("DELETE", address, None, self._headers, [self._key, *hidden_in([change])])
        if reply.refusal is not None:
            return reply.refused()
        return Answer(alike([change], ERASED), status=reply.status, text=reply.text)

    def members(self, _feed: Feed) -> Iterator[str]:
        """Raises NotRead."""
        if not self._app_key:
            raise NotRead("The segment can be read with a key of the App API only: give one.")
        start = ""
        while True:
            page = self._page(start)
            for person in rows(page.get("identifiers")):
                if person.get(self._id_type):
                    yield str(person[self._id_type])
            if not (start := page.get("next") or ""):
                return

    def preview(self, _feed: Feed, changes: Sequence[Change]) -> str:
        entered, left = entered_and_left(changes)
        told = [(way, some) for way, some in (("add_customers", entered), ("remove_customers", left)) if some]
        return "\n".join(f"{way} {encoded(_body(some)).decode()}" for way, some in told)

    def close(self) -> None:
        self._http.close()

    def _told(self, way: str, changes: Sequence[Change], hidden: Sequence[str]) -> Answer:
        address = f"{self._track}/api/v1/segments/{self._segment}/{way}?id_type={self._id_type}"
        reply = self._http.post_json(address, _body(changes), self._headers, hidden)
        if reply.status == REFUSED and _is_about_the_segment(reply):
            return reply.refused("gone", "no_manual_segment", "This segment is not there, or is not a manual one.")
        if reply.refusal is not None:
            return reply.refused()
        return Answer(alike(changes, SENT), status=reply.status, text=reply.text)

    def _page(self, start: str) -> dict[str, Any]:
        query = urlencode({"limit": PAGE} | ({"start": start} if start else {}))
        address = f"{self._app}/v1/segments/{self._segment}/membership?{query}"
        reply = self._http.call("GET", address, None, {"Authorization": f"Bearer {self._app_key}"})
        if reply.refusal is not None or "identifiers" not in reply.object:
            raise NotRead(reply.refusal.told if reply.refusal else "The answer is no list of people.")
        return reply.object


def _body(changes: Sequence[Change]) -> dict[str, Any]:
    return {"ids": [change.identity for change in changes]}


def _is_about_the_segment(reply: Reply) -> bool:
    return any("segment" in str(error).lower() for error in listed(within(reply.object, "meta").get("errors")))


def _open(opened: Opened) -> CustomerIOAdapter:
    return CustomerIOAdapter(opened)


CUSTOMERIO = DestinationType(
    name="customerio",
    words="Customer.io",
    help="Keeps a manual segment equal to the cohort.",
    family="level",
    once="A",
    settings=(
        Setting("region", "Region", "choice", "Of your account.", default="us", choices=tuple(TRACK)),
        Setting(
            "segment_id",
            "Segment's id",
            help="Make a manual segment first; its id is on its page at Usage, and in the page's address.",
            required=True,
            example="7",
            pattern=r"[0-9]{1,18}",
        ),
        Setting(
            "id_type",
            "Kind of id",
            "choice",
            "What the subscription's identity is in Customer.io.",
            default="id",
            choices=("id", "email", "cio_id"),
        ),
        BASE_URL,
        Setting(
            "site_id",
            "Site id",
            help="At Settings, Account Settings, API Credentials, Track API Keys.",
            required=True,
            secret=True,
            pattern=KEY,
        ),
        Setting("api_key", "Track API key", help="Beside the site id.", required=True, secret=True, pattern=KEY),
        Setting(
            "app_api_key",
            "App API key",
            help="Only to compare the segment with the cohort: at API Credentials, App API Keys.",
            secret=True,
            pattern=KEY,
        ),
    ),
    open=_open,
    budget=Budget(rate=50, concurrency=4),
    batch=MOST_IN_A_CALL,
    success="accepted",
    one_subscription=True,
    reads_back=True,
    erases=True,
    deletes_people=True,
    promise="Who is in the segment is not added again, so a repeat changes nothing.",
)
