"""HubSpot's far end, by hand: contacts, and one static list. What it refuses is what HubSpot is known to refuse."""

from itertools import count
from typing import Any

from destinations.types.hubspot import HUBSPOT
from tests.destinations.types.far_ends import SECRET, SetVendor
from tests.mixpanel import Answer, Call

OBJECTS, LIST = "/crm/objects/2026-03/contacts", "/crm/lists/2026-03/12"
PROPERTIES = {"email", "plan", "name"}


class HubSpot(SetVendor):
    """`silent` calls write nothing and say nothing of it. `traces`: results carry our own ids. `categories` are what is
    said of e-mails that are refused."""

    kind = HUBSPOT

    def __init__(self) -> None:
        super().__init__()
        self.contacts: dict[str, dict[str, str]] = {}  # by id
        self.more_emails: dict[str, str] = {}  # an id by further e-mail
        self.listed: set[str] = set()
        self.processing, self.object_type = "MANUAL", "0-1"
        self.silent = 0
        self.numbers = count(1000)
        self.traces = True
        self.categories: dict[str, str] = {}
        self.page = 250

    @property
    def members(self) -> set[str]:
        return {self.contacts[one]["email"] for one in self.listed}

    def settings(self) -> dict[str, str]:
        return {"list_id": "12"}

    def id_of(self, email: str) -> str | None:
        known = {one["email"]: number for number, one in self.contacts.items()} | self.more_emails
        return known.get(email)

    def answer(self, call: Call) -> Answer:
        if call.headers.get("Authorization") != f"Bearer {SECRET}":
            return Answer(401, {"status": "error", "category": "INVALID_AUTHENTICATION"})
        routes = {
            ("POST", f"{OBJECTS}/batch/upsert"): self._upsert,
            ("POST", f"{OBJECTS}/batch/read"): self._find,
            ("POST", f"{OBJECTS}/gdpr-delete"): self._erase,
            ("PUT", f"{LIST}/memberships/add-and-remove"): self._change,
            ("GET", f"{LIST}/memberships"): self._read,
            ("GET", LIST): self._describe,
        }
        route = routes.get((call.method, call.path))
        return route(call) if route else self.no(404, {"category": "OBJECT_NOT_FOUND"}, call.path)

    def _upsert(self, call: Call) -> Answer:
        inputs = call.json["inputs"]
        emails = [one["id"] for one in inputs]
        if len(inputs) > 100 or len(set(emails)) < len(emails):
            return self.no(400, {"category": "VALIDATION_ERROR"}, "too many, or one twice")
        if any(not isinstance(value, str) for one in inputs for value in one["properties"].values()):
            return self.no(400, {"category": "VALIDATION_ERROR"}, "a property that is no text")
        if {name for one in inputs for name in one["properties"]} - PROPERTIES:
            return Answer(400, {"category": "VALIDATION_ERROR", "message": "no such property"})
        if self.silent:
            self.silent -= 1
            return Answer(200, {"status": "COMPLETE", "results": [], "errors": []})
        good = [one for one in inputs if one["id"] not in self.categories]
        errors = [self._error(one) for one in inputs if one["id"] in self.categories]
        told = {"status": "COMPLETE", "results": [self._kept(one) for one in good]}
        return Answer(207 if errors else 200, told | ({"numErrors": len(errors), "errors": errors} if errors else {}))

    def _kept(self, one: dict[str, Any]) -> dict[str, Any]:
        found = self.id_of(one["id"])
        number = found or str(next(self.numbers))
        self.contacts.setdefault(number, {}).update({"email": one["id"]} if found is None else {})
        self.contacts[number] |= {name: value for name, value in one["properties"].items() if name != "email"}
        row = {"id": number, "new": found is None, "properties": {"email": self.contacts[number]["email"]}}
        return row | ({"objectWriteTraceId": one["objectWriteTraceId"]} if self.traces else {})

    def _error(self, one: dict[str, Any]) -> dict[str, Any]:
        context = {"objectWriteTraceId": [one["objectWriteTraceId"]]}
        category = self.categories[one["id"]]
        return {"status": "error", "category": category, "message": f"{one['id']} is bad", "context": context}

    def _find(self, call: Call) -> Answer:
        body = call.json
        if (
            not set(body) <= {"inputs", "properties", "propertiesWithHistory", "idProperty"}
            or len(body["inputs"]) > 100
        ):
            return self.no(400, {"category": "VALIDATION_ERROR"}, "a question of another form")
        asked = [one["id"] for one in body["inputs"]]
        ids = {one: self.id_of(one) if body.get("idProperty") else one for one in asked}
        found = [number for number in ids.values() if number in self.contacts]
        absent = [one for one, number in ids.items() if number not in self.contacts]
        told: dict[str, Any] = {"status": "COMPLETE"}
        told["results"] = [{"id": number, "properties": {"email": self.contacts[number]["email"]}} for number in found]
        if absent:
            told["errors"] = [{"category": "OBJECT_NOT_FOUND", "context": {"ids": absent}}]
        return Answer(207 if absent else 200, told)

    def _change(self, call: Call) -> Answer:
        add, remove = call.json["recordIdsToAdd"], call.json["recordIdsToRemove"]
        if any(not isinstance(one, str) for one in (*add, *remove)) or set(add) & set(remove):
            return self.no(400, {"category": "VALIDATION_ERROR"}, "ids")
        if self.processing == "DYNAMIC":
            return Answer(400, {"category": "VALIDATION_ERROR", "message": "not a manual list"})
        known, before = set(self.contacts), set(self.listed)
        self.listed = (before | (set(add) & known)) - set(remove)
        told = {"recordsIdsAdded": sorted(self.listed - before), "recordIdsRemoved": sorted(before - self.listed)}
        return Answer(200, told | {"recordIdsMissing": sorted({*add, *remove} - known)})

    def _read(self, call: Call) -> Answer:
        ids, after = sorted(self.listed), int(dict(call.query).get("after", 0))
        page = [
            {"recordId": one, "membershipTimestamp": "2026-05-01T10:00:00Z"} for one in ids[after : after + self.page]
        ]
        more = {"paging": {"next": {"after": str(after + self.page)}}} if after + self.page < len(ids) else {}
        return Answer(body={"results": page} | more)

    def _describe(self, _call: Call) -> Answer:
        return Answer(body={"list": {"processingType": self.processing, "objectTypeId": self.object_type}})

    def _erase(self, call: Call) -> Answer:
        number = self.id_of(call.json["objectId"])
        if call.json["idProperty"] != "email" or number is None:
            return Answer(404, {"category": "OBJECT_NOT_FOUND"})
        self.forget(number)
        return Answer(204, "")

    def forget(self, number: str) -> None:
        self.contacts.pop(number)
        self.listed.discard(number)
