"""No credential of a destination is in the open anywhere, and nobody who is relayed where nobody looks for people:
planted values, sent by every type to a far end that repeats what it hears, and sought afterwards in pages, in the API,
in what the terminal says, in the log, in files and in each column of each table."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from config.clock import HOUR
from destinations import destinations, opening, replay, trial
from destinations.destinations import NewDestination
from models.database import db as models
from security import tokens
from tests.commands.conftest import terminal_of
from tests.conftest import MakeRelay
from tests.destinations.conftest import Relaying
from tests.mixpanel import Answer, Call, Mixpanel, stand_in
from tests.outbound.conftest import add_project
from tests.outbound.test_secrets import ways, written
from tests.relay import Browser, member

KEY = 'planted+key/5f0a"e\\'
HOOK = "/services/T0001/B0001/planted7ab01"
PASSWORD = "planted-word-of-the-table-31"
PERSON = {
    "email": "Planted.Person@example.org",
    "phone_number": "+49 151 2345678",
    "first_name": "Plantagenet",
    "address": {"street": "Plantation Road 7", "codes": ["planted-code-55"], "income": 7654321.5},
}
ID = "planted-id-7c1"
EMAIL, PHONE = "planted.person@example.org", "+49 151 2345678"
UNLISTED = (PHONE, "Plantation Road", "planted-code", "7654321")
WORDS = (ID, EMAIL, "Plantagenet", *UNLISTED)
FIELDS = {"tel": "phone_number", "first": "first_name", "address": "address"}
STATUSES = (200, 201, 400, 401, 404, 413, 422, 429, 500)
PEOPLE = {"person", "holder", "placement", "message", "delivery", "sync_page"}  # the tables that are about people


def parrot(status: int, call: Call) -> Answer:
    """What repeats all it has heard, wherever an answer may have a text."""
    heard = call.body.decode("utf-8", "replace")
    if heard.startswith("\x1f"):
        heard = gzip.decompress(call.body).decode()
    said = f"no: {heard} {quote(heard)} {call.headers} {call.path}"
    error = {"detail": said, "code": said, "type": said, "index": 0, "input_array": "attributes", "message": said}
    names = ("message", "error", "msg", "reason", "title", "code", "status")
    return Answer(status, dict.fromkeys(names, said) | {"errors": [error], "ok": False, "failedUpdates": {"x": [said]}})


def connections(url: str) -> dict[str, tuple[str, dict[str, Any], dict[str, str]]]:
    """Name: type, settings, secrets; every type, at the parrot."""
    base, key = {"base_url": url}, {"api_key": KEY}
    return {
        "webhook": ("webhook", {"url": f"{url}/hook"}, {}),
        "segment": ("segment", base, {"write_key": KEY}),
        "braze": ("braze", base, key),
        "customerio": ("customerio", base | {"segment_id": "7"}, {"site_id": KEY, "api_key": KEY, "app_api_key": KEY}),
        "hubspot": ("hubspot", base | {"list_id": "7"}, {"token": KEY}),
        "iterable": ("iterable", base | {"list_id": "7"}, key),
        "klaviyo": ("klaviyo", base | {"list_id": "AbCd12"}, key),
        "slack": ("slack", {"people": True}, {"webhook_url": f"{url}{HOOK}"}),
        "bot": ("slack", base | {"people": True, "channel": "C1"}, {"token": KEY}),
        "bucket": ("files", {"bucket": "ours", "endpoint": url, "access_key": "us"}, {"secret_key": KEY}),
        "sql": ("sql", {"url": "postgresql://postgres@127.0.0.1:1/none", "timeout_seconds": 1}, {"password": PASSWORD}),
        "mixpanel": ("mixpanel", {"project": "prod", "tell": "both"}, {}),
    }


@dataclass
class Planted:
    """A relay whose destinations are all of them parrots. `shown` is what was said where nobody may be named,
    `calls` where the names of people may be, `listed` where people may be."""

    relaying: Relaying
    server: Mixpanel
    shown: list[tuple[str, str]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    listed: list[tuple[str, str]] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)

    def connect(self) -> None:
        runtime = self.relaying.runtime
        self.relaying.relay.refresh([member(ID, **PERSON), member("zoe", email="zoe@example.org")], project="2891273")
        for name, (kind, settings, secrets) in connections(self.server.url).items():
            draft = NewDestination(name, kind, settings | {"retry_seconds": "1, 1, 1, 1, 1, 1, 1, 1, 1"}, secrets)
            added = runtime.database.write(
                lambda db, draft=draft: destinations.add(db, runtime.cipher, draft, runtime.clock())
            )
            self.made |= set(added.made.values())
            fields = FIELDS if self.relaying.of(name).kind.carries_fields else {}
            known = self.relaying.subscribe(name, project="2891273", identity="email", start="present", fields=fields)
            self.numbers[name] = known.id

    def work(self) -> None:
        """Every type is answered in every way; whatever stopped goes on."""
        database, relay = self.relaying.database, self.relaying.relay
        for status in STATUSES:
            for name in {call.path for call in self.server.calls} | {"/hook", HOOK}:
                self.server.script(name, partial(parrot, status))
            self.relaying.work(HOUR)
            for name, number in self.numbers.items():
                known = self.relaying.subscription(number)
                for state in ("rejected", "dead", "uncertain"):
                    replay.replay(database, known, state, None, relay.clock())
                database.write(lambda db, name=name: destinations.resume(db, self.relaying.of(name), relay.clock()))
        relay.refresh([member(ID, **PERSON)], session="s2", project="2891273")
        self.relaying.work(HOUR)

    def ask(self) -> None:
        """What people do by hand, and what it answers."""
        for name, number in self.numbers.items():
            known, runtime = self.relaying.subscription(number), self.relaying.runtime
            self.shown.append((f"test {name}", repr(trial.test(runtime, known, ID))))
            with_adapter = opening.adapter(runtime, self.relaying.of(name))
            self.shown.append((f"check {name}", repr(with_adapter.check())))
            with_adapter.close()

    def read_pages(self, browser: Browser) -> None:
        for name, number in self.numbers.items():
            one = self.relaying.of(name).id
            there = f"/destinations/subscriptions/{number}"
            attempts = [
                row["id"]
                for row in self.relaying.relay.rows("SELECT id FROM attempt WHERE subscription_id = :id", id=number)
            ]
            self.shown += [(path, browser.get(path).text) for path in (f"{there}/attempts", f"/destinations/{one}")]
            self.shown += [(path, browser.get(path).text) for path in (f"/destinations/{one}/change", there)]
            self.calls += [(f"attempt {one}", browser.get(f"{there}/attempts/{one}").text) for one in attempts]
            self.listed += [(path, browser.get(path).text) for path in (f"{there}/messages", f"{there}/replay")]
            self.shown.append((f"check {one}", browser.post(f"/destinations/{one}/check").text))
            self.listed.append((f"test {one}", browser.post(f"{there}/test", {"distinct_id": ID}).text))
            self.shown.append((f"compare {one}", browser.post(f"{there}/reconcile").text))
        pages = ("/", "/destinations", "/failures", "/audit", "/settings/alerts", "/metrics", "/health")
        self.shown += [(path, browser.get(path).text) for path in pages]

    def read_api(self) -> None:
        runtime, client = self.relaying.runtime, self.relaying.relay.client
        key = runtime.settings.secret_key
        token = runtime.database.write(lambda db: tokens.add(db, key, "reader", "deliver", runtime.clock()))
        headers = {"Authorization": f"Bearer {token}"}
        paths = ["/destinations", "/destinations/types", "/subscriptions", "/failures"]
        paths += [f"/subscriptions/{number}{end}" for number in self.numbers.values() for end in ("", "/attempts")]
        self.shown += [(path, client.get(f"/api/v1{path}", headers=headers).text) for path in paths]
        for number in self.numbers.values():
            messages = f"/subscriptions/{number}/messages"
            self.listed.append((messages, client.get(f"/api/v1{messages}", headers=headers).text))

    def read_terminal(self, folder: Path) -> None:
        terminal = terminal_of(self.relaying.relay.app)
        said = [["destinations", "list"], ["destinations", "types"], ["subscriptions", "list"], ["doctor"]]
        for name, number in self.numbers.items():
            said += [["destinations", "check", name], ["subscriptions", "show", number]]
            said += [["subscriptions", "attempts", number], ["subscriptions", "reconcile", number]]
            said += [["subscriptions", "replay", number, "--state", "rejected", "--count"]]
            self.listed.append((f"messages {name}", terminal("subscriptions", "messages", number).output))
            self.listed.append((f"test {name}", terminal("subscriptions", "test", number, "--distinct-id", ID).output))
        for words in said:
            for more in ([], ["--json"]):
                self.shown.append((" ".join(map(str, words)), terminal(*words, *more).output))
        if self.relaying.database.dialect == "sqlite":
            assert terminal("backup", folder / "kept.db").exit_code == 0
            self.listed.append(("backup", (folder / "kept.db").read_bytes().decode("latin-1")))

    def read_tables(self) -> None:
        for table in models.metadata.sorted_tables:
            for row in self.relaying.relay.rows(f'SELECT * FROM "{table.name}"'):
                found = self.listed if table.name in PEOPLE else self.shown
                found += [(f"{table.name}.{column}", written(value)) for column, value in row.items()]


@pytest.fixture
def server() -> Iterator[Mixpanel]:
    with stand_in() as found:
        yield found


def in_the_open(texts: list[tuple[str, str]], words: set[str]) -> set[tuple[str, str]]:
    return {(place, word) for place, text in texts for word in words if word.lower() in text.lower()}


@pytest.mark.slow
def test_no_secret_is_in_the_open_and_nobody_is_where_nobody_looks_for_people(
    make_relay: MakeRelay, server: Mixpanel, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = make_relay(
        mixpanel_base_url=server.url, send_pause_seconds=0, log_level="debug", allow_private_destinations=True
    )
    add_project(made)
    planted = Planted(Relaying(made), server)
    planted.connect()
    planted.relaying.work()  # everything goes well
    planted.work()
    planted.ask()
    planted.read_pages(made.sign_in("admin"))
    planted.read_api()
    planted.read_terminal(tmp_path)
    planted.read_tables()
    logged = capfd.readouterr()
    planted.shown.append(("log", logged.err + logged.out))
    heard = "".join(f"{call.body.decode('utf-8', 'replace')} {call.headers}" for call in server.calls)
    assert KEY in heard  # it was really sent
    assert "Plantation Road 7" in heard
    secrets = {way for one in (KEY, PASSWORD, HOOK, f"{KEY}:{KEY}", f"{KEY}:", *planted.made) for way in ways(one)}
    assert len(planted.made) == 1  # the webhook's
    assert in_the_open(planted.shown + planted.calls + planted.listed, secrets) == set()
    assert in_the_open(planted.shown, {way for one in WORDS for way in ways(one)}) == set()
    assert in_the_open(planted.calls, {way for one in UNLISTED for way in ways(one)}) == set()
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "db" not in path.name]
    assert in_the_open([(str(path), path.read_bytes().decode("latin-1")) for path in files], secrets) == set()
