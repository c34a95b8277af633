"""Customer.io's far end: people, and a manual segment."""

from urllib.parse import unquote

from destinations.types.customerio import CUSTOMERIO
from destinations.vendors import basic
from tests.destinations.types.far_ends import SECRET, SetVendor
from tests.destinations.types.specifications import Spec, spec
from tests.mixpanel import Answer, Call

APP_KEY = "planted-app-key-90cd"


class CustomerIO(SetVendor):
    """`people` are whom it knows; None knows everybody. Its segment 7 is a manual one."""

    kind = CUSTOMERIO
    track: Spec | None = spec("customerio-track.json")

    def __init__(self) -> None:
        super().__init__()
        self.people: set[str] | None = None
        self.listed: set[str] = set()
        self.manual = True
        self.page = 1000
        self.region = "us"

    @property
    def members(self) -> set[str]:
        return self.listed

    def settings(self) -> dict[str, str]:
        return {"segment_id": "7"}

    def answer(self, call: Call) -> Answer:
        if call.path == "/v1/segments/7/membership":
            return self._read(call)
        if self.track is not None and (problem := self.track.problem(call)):
            return self.no(400, {"meta": {"errors": [problem]}}, problem)
        if call.headers.get("Authorization") != f"Basic {basic(SECRET, SECRET)}":
            return Answer(401, {"meta": {"error": "Unauthorized"}})
        if call.path.endswith("/region"):
            return Answer(body={"region": self.region, "url": self.url, "environment_id": 3})
        if call.method == "DELETE":
            self.listed.discard(unquote(call.path.rsplit("/", 1)[1]))
            return Answer(body={})
        return self._changed(call)

    def _changed(self, call: Call) -> Answer:
        ids = call.json["ids"]
        if not self.manual or "/segments/7/" not in call.path:
            return Answer(400, {"meta": {"errors": ["segment must be a manual segment"]}})
        if not 1 <= len(ids) <= 1000 or "" in ids:
            return self.no(400, {"meta": {"errors": ["ids"]}}, "ids")
        known = set(ids) if self.people is None else set(ids) & self.people
        self.listed = self.listed | known if call.path.endswith("add_customers") else self.listed - known
        return Answer(body={})

    def _read(self, call: Call) -> Answer:
        if call.headers.get("Authorization") != f"Bearer {APP_KEY}":
            return Answer(401, {"meta": {"error": "unauthorized"}})
        people, start = sorted(self.listed), int(dict(call.query).get("start", 0))
        page = [{"id": one, "email": f"{one}@example.com", "cio_id": ""} for one in people[start : start + self.page]]
        more = start + self.page < len(people)
        return Answer(body={"identifiers": page, "ids": [], "next": str(start + self.page) if more else ""})
