"""Braze's far end: users and their attributes."""

from collections import defaultdict
from typing import Any

from destinations.types.braze import BRAZE
from tests.destinations.types.far_ends import SECRET, SetVendor
from tests.destinations.types.specifications import spec
from tests.mixpanel import Answer, Call

INVALID = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."


class Braze(SetVendor):
    """`blocked` are ids that it takes for spam. `nameless`: its errors say nothing of whom they are."""

    kind = BRAZE
    spec = spec("braze.json")

    def __init__(self) -> None:
        super().__init__()
        self.users: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        self.blocked: set[str] = set()
        self.nameless = False

    @property
    def members(self) -> set[str]:
        return {name for name, user in self.users.items() if user.get("in_paying_users")}

    def answer(self, call: Call) -> Answer:
        if call.headers.get("Authorization") != f"Bearer {SECRET}":
            return Answer(401, {"message": "Invalid API key"})
        if call.path == "/users/delete":
            gone = [self.users.pop(name, None) for name in call.json["external_ids"]]
            return Answer(201, {"deleted": len(gone), "message": "success"})
        return self._tracked(call.json["attributes"])

    def _tracked(self, objects: list[dict[str, Any]]) -> Answer:
        if len(objects) > 75:
            return self.no(400, {"message": "too many"}, "too many")
        errors = [self._error(place, one) for place, one in enumerate(objects)]
        bad = [error for error in errors if error]
        if len(bad) == len(objects):
            return Answer(401, {"message": INVALID, "errors": ["invalid"] if self.nameless else bad})
        for one, error in zip(objects, errors, strict=True):
            if not error and not (one.pop("_update_existing_only", False) and one["external_id"] not in self.users):
                self.users[one["external_id"]] |= one
        told = {"message": "success", "attributes_processed": len(objects) - len(bad)}
        return Answer(201, told | ({"errors": [{"type": "trouble"}] if self.nameless else bad} if bad else {}))

    def _error(self, place: int, one: dict[str, Any]) -> dict[str, Any] | None:
        if one["external_id"] in self.blocked:
            return {"type": "blacklisted", "input_array": "attributes", "index": place}
        if not all(type(value) in {str, bool, int, float} for value in one.values()):
            return {"type": f"the value of {one['external_id']} is odd!", "input_array": "attributes", "index": place}
        return None
