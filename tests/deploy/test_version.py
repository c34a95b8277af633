"""One version, said alike wherever somebody may ask for it."""

import tomllib
from pathlib import Path

from config.version import VERSION
from models.maintenance import schema
from tests.commands.conftest import terminal_of
from tests.relay import Relay

ROOT = Path(__file__).resolve().parents[2]


def test_its_one_home_is_the_project_file() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_terminal_metrics_document_and_pages_say_it(relay: Relay) -> None:
    terminal = terminal_of(relay.app)
    assert terminal("version").output.startswith(f"Cohort Relay {VERSION} (tables {schema.newest_revision()}, ")
    assert f'"version": "{VERSION}"' in terminal("version", "--json").output
    assert f'cohort_relay_build_info{{version="{VERSION}"}} 1.0' in relay.client.get("/metrics").text
    assert relay.client.get("/api/v1/openapi.json").json["info"]["version"] == VERSION
    assert f'<footer class="page-foot">Cohort Relay {VERSION}</footer>' in relay.sign_in("viewer").get("/").text


def test_strangers_are_not_told_by_the_sign_in_page(relay: Relay) -> None:
    assert VERSION not in relay.client.get("/sign-in").text
