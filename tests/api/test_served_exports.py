"""Exports over HTTP by the real server: what its client sees of an export that breaks off, and of ids in a path."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from sqlalchemy import text

from blueprints.exports import PIECE
from tests.failing.server import Server
from tests.relay import Relay

pytestmark = pytest.mark.slow

MEMBERS = "/api/v1/projects/1/cohorts/7/members"


@pytest.fixture
def served(relay: Relay, tmp_path: Path) -> Iterator[Server]:
    """The relay's database behind a real server."""
    server = Server(tmp_path, relay.app.extensions["runtime"].settings.database_url)
    server.start()
    server.wait_ready()
    yield server
    server.close()


def get(relay: Relay, server: Server, path: str) -> requests.Response:
    return requests.get(server.url + path, headers={"Authorization": f"Bearer {relay.token}"}, timeout=30)


def test_an_export_that_fails_half_way_cannot_be_read_as_a_whole_one(relay: Relay, served: Server) -> None:
    """A member of the second piece has a time that no calendar knows."""
    for page in range(3):
        relay.refresh([f"user {number}" for number in range(page * PIECE // 2, (page + 1) * PIECE // 2)], page + 1, 3)
    last = "(SELECT max(person_id) FROM membership)"
    poison = f"UPDATE membership SET entered_at = 900000000000000000 WHERE person_id = {last}"
    relay.database.write(lambda db: db.execute(text(poison)))
    with pytest.raises((requests.exceptions.ChunkedEncodingError, json.JSONDecodeError)):
        list(map(json.loads, get(relay, served, f"{MEMBERS}.ndjson").text.splitlines()))


def test_ids_reach_us_through_the_real_server_as_they_are(relay: Relay, served: Server) -> None:
    ids = ["é/日本", "a%2Fb", "/a//b/", "a?b#c", "a\nb"]
    relay.add(ids)
    for one in ids:
        assert get(relay, served, f"{MEMBERS}/{quote(one, safe='')}").json()["distinct_id"] == one
