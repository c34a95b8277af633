"""A receiver to practise on: it takes what a webhook destination sends, shows what came, and fails when it is told to.

What came is kept in memory until it stops. It belongs to the demo; nothing else starts it.
"""

import json
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import parse_qsl

PATH = "/practice"
MOST = 200  # events that are kept
ANSWERS = {"200": "takes everything", "503": "is away", "422": "refuses everything"}
WORDS = {"200": "Take everything", "503": "Be away", "422": "Refuse everything"}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="3"><meta name="color-scheme" content="light dark"><title>Practice receiver</title>
<style>body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 960px; margin: 32px auto; padding: 0 16px }}
table {{ border-collapse: collapse; width: 100% }} th, td {{ text-align: left; padding: 4px 12px 4px 0 }}
code {{ overflow-wrap: anywhere }} button {{ font: inherit }}</style></head>
<body><h1>Practice receiver</h1>
<p>It {does} now. Calls that came: {calls}. Messages: {ids}, of which {again} came again.</p>
<form method="post" action="{path}/answer">{buttons}</form>
<h2>What came, the newest first</h2>
<table><thead><tr><th>What</th><th>Who</th><th>Cohort</th><th>Fields</th><th>Signed</th><th>Answered</th><th>Id</th></tr>
</thead><tbody>{rows}</tbody></table></body></html>"""


@dataclass(frozen=True)
class Arrival:
    """One event as it came; `answered` is the status that it got."""

    what: str
    data: Mapping[str, Any]
    id: str
    signed: bool
    answered: str


class Receiver:
    """The far end of a webhook destination. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._came: deque[Arrival] = deque(maxlen=MOST)
        self._ids: Counter[str] = Counter()
        self._calls = 0
        self._status = "200"

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: str) -> tuple[int, str]:
        """Return the status and the body: a page for people, a word for a webhook. `headers` are in small letters.
        Raises ValueError, KeyError or TypeError for what no webhook of ours sends."""
        if method == "GET":
            return 200, self._page()
        if path == f"{PATH}/answer":
            return self._turn(body)
        if method == "POST":
            self._take(headers, body)
        return int(self._status), ANSWERS[self._status]

    def _turn(self, body: str) -> tuple[int, str]:
        wanted = dict(parse_qsl(body)).get("status", "")
        if wanted in ANSWERS:
            self._status = wanted
        return 200, self._page()

    def _take(self, headers: Mapping[str, str], body: str) -> None:
        told = json.loads(body)
        call, signed, status = headers.get("webhook-id", ""), "webhook-signature" in headers, self._status
        events = told["data"]["changes"] if told["type"] == "cohort.members.changed" else [told | {"id": call}]
        with self._lock:
            self._calls += 1
            for event in events:
                self._ids[event["id"]] += 1
                self._came.appendleft(Arrival(event["type"], event["data"], event["id"], signed, status))

    def _page(self) -> str:
        with self._lock:
            rows = "".join(map(_row, self._came)) or '<tr><td colspan="7">Nothing yet.</td></tr>'
            again = sum(times > 1 for times in self._ids.values())
            counted = {"calls": self._calls, "ids": len(self._ids), "again": again}
        buttons = " ".join(f'<button name="status" value="{status}">{word}</button>' for status, word in WORDS.items())
        return _PAGE.format(does=ANSWERS[self._status], path=PATH, buttons=buttons, rows=rows, **counted)


def _row(arrival: Arrival) -> str:
    data = arrival.data
    told = (
        f"{arrival.what} {data.get('entry_number', '')}",
        str(data.get("distinct_id", "")),
        str(data.get("cohort_name", "")),
        json.dumps(data.get("fields") or {}, ensure_ascii=False),
        "yes" if arrival.signed else "no",
        arrival.answered,
        arrival.id,
    )
    return "<tr>" + "".join(f"<td><code>{escape(cell)}</code></td>" for cell in told) + "</tr>"
