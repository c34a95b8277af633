"""Klaviyo's far end: profiles, and one list."""

from itertools import count
from typing import Any

from destinations.types.klaviyo import KLAVIYO, REVISION
from tests.destinations.types.far_ends import SECRET, SetVendor
from tests.destinations.types.specifications import spec
from tests.mixpanel import Answer, Call

LIST = "/api/lists/Y6nRLr"
NEVER = ("profile-subscription-bulk-create-jobs", "profile-subscription-bulk-delete-jobs", "profile-suppression")


class Klaviyo(SetVendor):
    """`bad` are identities that are refused, `doubles` those for which it names another profile's id. `points`: it says
    which profile of a call is not there."""

    kind = KLAVIYO
    spec = spec("klaviyo.json")

    def __init__(self) -> None:
        super().__init__()
        self.profiles: dict[str, dict[str, Any]] = {}
        self.listed: set[str] = set()
        self.bad: set[str] = set()
        self.doubles: dict[str, str] = {}
        self.points = True
        self.numbers = count(1000)
        self.gone = False
        self.page = 100
        self.deleted: list[Any] = []

    @property
    def members(self) -> set[str]:
        return {self.profiles[one]["email"] for one in self.listed}

    def settings(self) -> dict[str, str]:
        return {"list_id": "Y6nRLr", "base_url": f"{self.url}/api"}

    def answer(self, call: Call) -> Answer:
        if call.headers.get("Authorization") != f"Klaviyo-API-Key {SECRET}":
            return self._no(401, "not_authenticated")
        if call.headers.get("revision") != REVISION or any(name in call.path for name in NEVER):
            return self.no(400, {}, "the revision, or a call that is never made")
        if call.path == "/api/profile-import":
            return self._import(call.json["data"]["attributes"])
        if call.path == "/api/data-privacy-deletion-jobs":
            self.deleted.append(call.json["data"]["attributes"]["profile"]["data"])
            return Answer(202, "")
        return self._of_the_list(call)

    def _of_the_list(self, call: Call) -> Answer:
        if self.gone or not call.path.startswith(LIST):
            return self._no(404, "not_found")
        if call.method == "GET":
            return self._read(call) if call.path.endswith("/profiles") else Answer(body={"data": {"id": "Y6nRLr"}})
        return self._change([one["id"] for one in call.json["data"]], enters=call.method == "POST")

    def _import(self, attributes: dict[str, Any]) -> Answer:
        who = next(attributes[name] for name in ("email", "phone_number", "external_id") if name in attributes)
        if who in self.bad:
            return self._no(400, "invalid")
        if who in self.doubles:
            return self._no(409, "duplicate_profile", meta={"duplicate_profile_id": self.doubles[who]})
        found = next((number for number, one in self.profiles.items() if who in one.values()), None)
        number = found or f"01P{next(self.numbers)}"
        self.profiles.setdefault(number, {}).update(attributes)
        return Answer(200 if found else 201, {"data": {"type": "profile", "id": number}})

    def _change(self, ids: list[str], *, enters: bool) -> Answer:
        if len(ids) > 1000 or len(set(ids)) < len(ids) or not ids:
            return self.no(400, {}, "too many, or one twice")
        if missing := [place for place, one in enumerate(ids) if one not in self.profiles]:
            return self._no(404, "not_found", source={"pointer": f"/data/{missing[0]}/id"} if self.points else {})
        self.listed = self.listed | set(ids) if enters else self.listed - set(ids)
        return Answer(204, "")

    def _read(self, call: Call) -> Answer:
        ids, start = sorted(self.listed), int(dict(call.query).get("page[cursor]", 0))
        page = [
            {"type": "profile", "id": one, "attributes": self.profiles[one]} for one in ids[start : start + self.page]
        ]
        following = f"https://a.klaviyo.com{LIST}/profiles?page%5Bcursor%5D={start + self.page}"
        return Answer(body={"data": page, "links": {"next": following if start + self.page < len(ids) else None}})

    def _no(self, status: int, code: str, **more: Any) -> Answer:
        return Answer(status, {"errors": [{"id": "1", "code": code, "title": "No", "detail": "no", **more}]})

    def id_of(self, email: str) -> str:
        return next(number for number, one in self.profiles.items() if one.get("email") == email)

    def forget(self, number: str) -> None:
        self.profiles.pop(number)
        self.listed.discard(number)
