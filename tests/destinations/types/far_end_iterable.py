"""Iterable's far end, by hand: users, and one static list. What it refuses is what Iterable is known to refuse."""

from collections import defaultdict
from typing import Any

from destinations.types.iterable import ITERABLE
from tests.destinations.types.far_ends import SECRET, SetVendor
from tests.mixpanel import Answer, Call

SUBSCRIBER = {"email", "userId", "dataFields"}


class Iterable(SetVendor):
    """`failing` says of whom an update fails, and in which class; `ended` are those who get no message any more.
    `counts_more`: it counts a failure more than it names."""

    kind = ITERABLE

    def __init__(self) -> None:
        super().__init__()
        self.users: dict[str, dict[str, Any]] = {}
        self.listed: set[str] = set()
        self.ended: set[str] = set()
        self.forgotten: set[str] = set()
        self.failing: dict[str, str] = {}
        self.filtered: list[str] = []
        self.counts_more = 0

    @property
    def members(self) -> set[str]:
        return self.listed

    def settings(self) -> dict[str, str]:
        return {"list_id": "12", "base_url": f"{self.url}/api"}

    def answer(self, call: Call) -> Answer:
        if call.headers.get("Api-Key") != SECRET:
            return Answer(401, {"msg": "Invalid API key", "code": "BadApiKey", "params": None})
        if call.path == "/api/lists/12/size":
            return Answer(body=str(len(self.listed)))
        if call.path == "/api/lists/getUsers":
            return Answer(body="".join(f"{who}\n" for who in sorted(self.listed)))
        if call.path == "/api/users/forget":
            (who,) = call.json.values()
            self.forgotten.add(who)
            self.listed.discard(who)
            return Answer(body={"msg": "", "code": "Success", "params": None})
        if call.path in {"/api/lists/subscribe", "/api/lists/unsubscribe"}:
            return self._changed(call.json, enters=call.path.endswith("/subscribe"))
        return Answer(400, {"msg": f"[{call.path}] List not found", "code": "BadParams"})

    def _changed(self, body: dict[str, Any], *, enters: bool) -> Answer:
        allowed = {"listId", "subscribers", "updateExistingUsersOnly" if enters else "channelUnsubscribe"}
        rows = body["subscribers"]
        if set(body) != allowed or len(rows) > 1000 or any(not set(row) <= SUBSCRIBER for row in rows):
            return self.no(400, {"msg": "Invalid JSON", "code": "BadJsonBody"}, "the body")
        if body["listId"] != 12:
            return Answer(400, {"msg": f"[/api/lists/subscribe] List {body['listId']} not found", "code": "BadParams"})
        failed: defaultdict[str, list[str]] = defaultdict(list)
        for row in rows:
            who = row.get("email", "").lower() or row["userId"]
            if problem := self._problem(who, body, enters=enters):
                failed[f"{problem}{'Emails' if 'email' in row else 'UserIds'}"].append(who)
                continue
            self.users.setdefault(who, {}).update(row.get("dataFields", {}))
            self.listed = self.listed | {who} if enters else self.listed - {who}
            if body.get("channelUnsubscribe"):
                self.ended.add(who)
        count = sum(map(len, failed.values()))
        told = {"successCount": len(rows) - count, "failCount": count + self.counts_more, "failedUpdates": failed}
        return Answer(body=told | {"filteredOutFields": self.filtered})

    def _problem(self, who: str, body: dict[str, Any], *, enters: bool) -> str:
        if who in self.failing:
            return self.failing[who]
        if who in self.forgotten:
            return "forgotten"
        makes = enters and not body["updateExistingUsersOnly"]
        return "" if makes or who in self.users else "notFound"
