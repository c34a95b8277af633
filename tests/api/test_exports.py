"""GET …/members.csv and GET …/members.ndjson."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from blueprints import exports
from models.database import DatabaseUnavailable
from security import tokens
from tests import servers
from tests.api.reading import every, read, refusal
from tests.relay import Relay, member

COHORT = "/projects/1/cohorts/7"
COLUMNS = "distinct_id,email,first_name,last_name,phone_number,entered_at,entry_number,properties"


def fill(relay: Relay, members: int) -> None:
    """More than one piece of an export, if need be."""
    pages = -(-members // 1000)
    for page in range(pages):
        ids = range(page * 1000, min(members, (page + 1) * 1000))
        relay.refresh(
            [member(f"user {number}", email=f"{number}@example.com", n=number) for number in ids], page + 1, pages
        )


def ndjson(relay: Relay) -> list[dict[str, Any]]:
    return [json.loads(line) for line in relay.api(f"{COHORT}/members.ndjson").text.splitlines()]


def rows(relay: Relay) -> list[dict[str, str]]:
    text = relay.api(f"{COHORT}/members.csv").data.decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_both_exports_are_the_paged_list(relay: Relay) -> None:
    fill(relay, exports.PIECE * 2 + 7)
    relay.remove([f"user {number}" for number in range(0, 900, 2)], session="gone")
    listed = every(relay, f"{COHORT}/members", limit=1000)
    assert {one["distinct_id"] for one in listed} == relay.members()
    assert ndjson(relay) == listed
    assert [
        {**one, "entry_number": int(one["entry_number"]), "properties": json.loads(one["properties"])}
        for one in rows(relay)
    ] == [
        {
            name: value or "" if name in ("first_name", "last_name", "phone_number") else value
            for name, value in one.items()
        }
        for one in listed
    ]


def test_csv_follows_rfc_4180(relay: Relay) -> None:
    relay.add(
        [member("A", first_name='Ada "the first"', last_name="Love,lace", phone_number="1\r\n2", email="é@x", plan=1)]
    )
    answer = relay.api(f"{COHORT}/members.csv")
    assert answer.data.decode() == (
        f"{COLUMNS}\r\n"
        'A,é@x,"Ada ""the first""","Love,lace","1\r\n2",2025-06-15T15:06:40.000Z,1,' + json_cell(relay) + "\r\n"
    )


def json_cell(relay: Relay) -> str:
    """The properties as the two databases write them."""
    return '"{""plan"":1}"' if relay.database.dialect == "sqlite" else '"{""plan"": 1}"'


def test_an_empty_cohort_exports_a_header_or_nothing(relay: Relay) -> None:
    relay.add([])
    assert relay.api(f"{COHORT}/members.csv").text == COLUMNS + "\r\n"
    assert relay.api(f"{COHORT}/members.ndjson").text == ""


@pytest.mark.parametrize(("form", "media_type"), [("csv", "text/csv"), ("ndjson", "application/x-ndjson")])
def test_an_export_says_what_it_is(relay: Relay, form: str, media_type: str) -> None:
    relay.add(["A"])
    answer = relay.api(f"{COHORT}/members.{form}")
    assert answer.mimetype == media_type
    assert answer.headers["Content-Disposition"] == f'attachment; filename="members.{form}"'
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_an_export_is_read_in_pieces_and_no_transaction_stays_open(relay: Relay) -> None:
    """While the reader has taken one piece, a page is applied and shows in what follows."""
    fill(relay, exports.PIECE + 1)
    stream = exports.stream(relay.database, relay.cohort()["id"], exports.NDJSON)
    first = next(stream) + next(stream)
    relay.remove([f"user {exports.PIECE}"], session="late")
    rest = b"".join(stream)
    assert (len(first.splitlines()), rest) == (exports.PIECE, b"")


# --- an export that fails must not look complete


@contextmanager
def away(relay: Relay) -> Iterator[None]:
    """The database cannot be reached."""
    url = make_url(relay.app.extensions["runtime"].settings.database_url)
    relay.database.dispose()
    if relay.database.dialect == "sqlite":
        file = Path(str(url.database))
        file.rename(f"{file}.away")
        file.mkdir()
        yield
        return
    with psycopg.connect(servers.POSTGRESQL, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
        try:
            yield
        finally:
            admin.execute(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true")


@pytest.mark.parametrize("form", [exports.CSV, exports.NDJSON])
def test_an_export_whose_database_goes_away_raises_after_a_line_that_no_reader_accepts(
    relay: Relay, form: exports.Form
) -> None:
    fill(relay, exports.PIECE + 1)
    stream = exports.stream(relay.database, relay.cohort()["id"], form)
    got = [next(stream), next(stream)]
    with away(relay), pytest.raises(DatabaseUnavailable):
        got.extend(stream)
    with pytest.raises((csv.Error, json.JSONDecodeError)):
        parse(b"".join(got), form)


def parse(export: bytes, form: exports.Form) -> None:
    text = export.decode()
    if form is exports.CSV:
        list(csv.reader(io.StringIO(text, newline=""), strict=True))
    else:
        for line in text.splitlines():
            json.loads(line)


# --- exports leave threads for the webhook


def test_half_of_the_threads_may_export_at_once(make_relay: Any) -> None:
    relay = make_relay(threads=4)
    fill(relay, 3)
    running = [
        relay.client.get(f"/api/v1{COHORT}/members.csv", headers={"Authorization": f"Bearer {one}"}, buffered=False)
        for one in (relay.token, another_token(relay, "other"))
    ]
    status, message = refusal(relay, f"{COHORT}/members.ndjson")
    assert (status, message) == (429, "Too many exports are under way; try again when one of them has ended.")
    assert relay.api(f"{COHORT}/members.ndjson").headers["Retry-After"] == "10"
    running[0].close()
    assert len(ndjson(relay)) == 3
    assert len(ndjson(relay)) == 3


def another_token(relay: Relay, name: str, scope: str = "read") -> str:
    key = relay.app.extensions["runtime"].settings.secret_key
    return relay.database.write(lambda db: tokens.add(db, key, name, scope, relay.clock()))


def test_asking_for_the_head_keeps_no_place(make_relay: Any) -> None:
    relay = make_relay(threads=2)
    fill(relay, 1)
    for _ in range(3):
        head = relay.client.head(f"/api/v1{COHORT}/members.csv", headers={"Authorization": f"Bearer {relay.token}"})
        assert (head.status_code, head.data) == (200, b"")
        head.close()


def test_members_are_counted_the_same_everywhere(relay: Relay) -> None:
    fill(relay, 1200)
    assert read(relay, COHORT)["member_count"] == len(ndjson(relay)) == len(rows(relay)) == len(relay.members())


@pytest.mark.parametrize("most", [1, 5_000, 10**9])
def test_a_piece_is_bounded_in_bytes_as_well_as_in_people(
    relay: Relay, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(exports, "PIECE_BYTES", most)
    relay.refresh([member(f"user {number:03}", wide="x" * 1_000) for number in range(120)])
    pieces = list(exports.pieces(relay.database, relay.cohort()["id"]))
    for piece in pieces:
        assert sum(len(row.properties) for row in piece[:-1]) < most
    assert len(pieces) == {1: 120, 5_000: 24, 10**9: 1}[most]
    assert [one["distinct_id"] for one in ndjson(relay)] == [f"user {number:03}" for number in range(120)]
