"""ACCESS_LOG: a line for each call, with or without who called, and never a query, a path, a secret or a member."""

import json

import pytest

from tests.conftest import MakeRelay
from tests.relay import member

SECRET = "ada@example.com"


def lines(make_relay: MakeRelay, capsys: pytest.CaptureFixture[str], access_log: str) -> list[dict]:
    relay = make_relay(access_log=access_log, log_level="info")
    capsys.readouterr()
    relay.refresh([member("ada-1", email=SECRET)])
    relay.api("/projects/1/cohorts/7/members", limit=5)
    relay.client.get(f"/cohorts?find={SECRET}", headers={"User-Agent": "a browser\x1b[2J" + "x" * 500})
    relay.client.get(f"/people/{SECRET}")
    relay.client.get("/healthz")
    written = capsys.readouterr().err
    assert not [word for word in (SECRET, relay.token, relay.password) if word in written]
    return [line for line in map(json.loads, written.splitlines()) if line["event"] == "request"]


def test_short_says_what_was_called(make_relay: MakeRelay, capsys: pytest.CaptureFixture[str]) -> None:
    found = lines(make_relay, capsys, "short")
    assert len(found) == 4
    assert not [line for line in found if "address" in line]


def test_full_says_who_called_as_well(make_relay: MakeRelay, capsys: pytest.CaptureFixture[str]) -> None:
    webhook, api, page, _nowhere = lines(make_relay, capsys, "full")
    assert (webhook["connection"], webhook["api_token"], webhook["address"]) == ("crm", None, "127.0.0.1")
    assert webhook["bytes_in"] > 0
    assert webhook["bytes_out"] > 0
    assert api["api_token"]
    assert page["program"].startswith("a browser\\x1b[2J")
    assert len(page["program"]) <= 210


def test_off_writes_none(make_relay: MakeRelay, capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(make_relay, capsys, "off") == []
