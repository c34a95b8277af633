"""What the stand-in answers to each call: Mixpanel's documented replies (mixpanel-facts 3), from its shelf."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from simulator.stand_in.store import Record, Shelf, fault_of_import, fault_of_update

FUNNELS = [{"funnel_id": 7509, "name": "Practice sign-up"}, {"funnel_id": 9070, "name": "Practice purchase"}]
PIPELINES = {
    "101": [{"name": "practice-events-daily", "dispatcher": "backfill", "frequency": "daily", "sync_enabled": "true"}],
    "102": [{"name": "practice-people-daily", "dispatcher": "backfill", "frequency": "daily", "sync_enabled": "true"}],
}
SEEN_AFTER = 3  # seconds until an event can be read back
PAGE = 1000

Reply = tuple[int, Any]
Cohorts = Callable[[], list[Record]]
Members = Callable[[str, int, int], list[Record]]


@dataclass(frozen=True)
class Call:
    """One call: `path` begins with the family, `records` is its body read as JSON or as the form field `data`."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    records: Any
    text: str
    user: str


class Mixpanel:
    """`cohorts` lists the cohorts that there are, `members` a page of one: (cohort, page, size)."""

    def __init__(self, cohorts: Cohorts, members: Members) -> None:
        self.shelf = Shelf()
        self._cohorts = cohorts
        self._members = members

    def answer(self, call: Call) -> Reply:
        """Return the status, and a text or something for JSON."""
        if call.path.startswith("/api/lookup-tables"):
            return self._lookup(call)
        work = {
            "/api/import": self._import,
            "/api/track": self._track,
            "/api/engage": self._engage,
            "/api/groups": self._engage,
            "/export/export": self._export,
            "/query/cohorts/list": self._list_cohorts,
            "/query/funnels/list": lambda _call: (200, FUNNELS),
            "/pipelines/nessie/pipeline/jobs": lambda _call: (200, PIPELINES),
            "/query/engage": self._query_engage,
        }.get(call.path)
        if work is None:
            return self._anything(call)
        return work(call)

    def _import(self, call: Call) -> Reply:
        if not call.user:
            return 401, {"code": 401, "error": "Invalid credentials", "status": "Unauthorized"}
        now, failed, stored = time.time(), [], 0
        for index, event in enumerate(_list(call.records)):
            fault = fault_of_import(event, now)
            if fault is None:
                self.shelf.take_event(event, now)
                stored += 1
                continue
            insert_id = event.get("properties", {}).get("$insert_id", "") if isinstance(event, dict) else ""
            failed.append({"index": index, "insert_id": insert_id, "field": fault[0], "message": fault[1]})
        if not failed:
            return 200, {"code": 200, "num_records_imported": stored, "status": "OK"}
        error = "some data points in the request failed validation"
        answer = {"code": 400, "error": error, "failed_records": failed, "num_records_imported": stored}
        return 400, answer | {"status": "Bad Request"}

    def _track(self, call: Call) -> Reply:
        """Answer 1 or 0: a 1 says that one or more were valid, and nothing of the token."""
        now, stored = time.time(), 0
        for event in _list(call.records):
            good = isinstance(event, dict) and event.get("event") and isinstance(event.get("properties"), dict)
            if good and event["properties"].get("token"):
                self.shelf.take_event(event, now)
                stored += 1
        return 200, _track_answer(call, stored > 0, "" if stored else "no valid event")

    def _engage(self, call: Call) -> Reply:
        group = call.path == "/api/groups"
        faults = []
        for update in _list(call.records):
            fault = fault_of_update(update, group=group)
            if fault is None:
                self.shelf.take_update(update)
            else:
                faults.append(fault[1])
        error = f"Engage API error: {faults[0]}" if faults else ""
        return 200, _track_answer(call, not faults, error)

    def _export(self, call: Call) -> Reply:
        """Return the events of the days asked for that came some seconds ago, one JSON object a line."""
        if not call.user:
            return 401, {"error": "Invalid credentials"}
        wanted = json.loads(call.query.get("event") or "null")
        lines = [
            json.dumps(event)
            for came, event in list(self.shelf.events.values())
            if came <= time.time() - SEEN_AFTER
            and (wanted is None or event["event"] in wanted)
            and call.query.get("from_date", "") <= _day(event) <= call.query.get("to_date", "9")
        ]
        return 200, "".join(f"{line}\n" for line in lines[: int(call.query.get("limit") or 100_000)])

    def _lookup(self, call: Call) -> Reply:
        name = call.path.partition("/api/lookup-tables")[2].strip("/")
        if call.method == "PUT":
            self.shelf.tables[name] = call.text
        listed = [{"id": table, "name": table} for table in self.shelf.tables]
        return 200, {"code": 200, "status": "OK"} | ({"results": listed} if call.method == "GET" else {})

    def _list_cohorts(self, _call: Call) -> Reply:
        return 200, self._cohorts()

    def _query_engage(self, call: Call) -> Reply:
        """Return the members of a cohort, or the profiles that were sent to the stand-in."""
        page = int(call.form.get("page") or 0)
        cohort = json.loads(call.form.get("filter_by_cohort") or "null")
        if cohort is not None:
            results = self._members(str(cohort.get("id")), page, PAGE)
        else:
            profiles = [key for key in self.shelf.profiles if key[1] is None][page * PAGE : (page + 1) * PAGE]
            results = [{"$distinct_id": key[2], "$properties": self.shelf.profiles[key]} for key in profiles]
        answer = {"page": page, "page_size": PAGE, "session_id": "stand-in", "status": "ok", "total": len(results)}
        return 200, answer | {"results": results}

    def _anything(self, call: Call) -> Reply:
        """Answer calls that have nothing to tell here: an empty answer of the right shape, never a made-up one."""
        if call.path == "/app/me":
            return (200, {"status": "ok", "results": {}}) if call.user else (401, {"status": "error"})
        if call.path.startswith("/query/"):
            return 200, [] if call.path.endswith(("/list", "/names", "/values")) else {"status": "ok", "results": {}}
        if call.path.startswith("/pipelines/"):
            return 200, {}
        return 404, {"error": "The stand-in has no such call.", "status": "error"}


def _track_answer(call: Call, good: bool, error: str) -> Any:
    if call.query.get("verbose", "0") == "0" and call.form.get("verbose", "0") == "0":
        return "1" if good else "0"
    return {"status": 1, "error": None} if good else {"status": 0, "error": error}


def _list(records: Any) -> Iterator[Any]:
    yield from records if isinstance(records, list) else [records]


def _day(event: Record) -> str:
    return datetime.fromtimestamp(event["properties"]["time"], UTC).strftime("%Y-%m-%d")
