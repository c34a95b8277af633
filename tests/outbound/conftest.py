"""Tests of the outbound room: a desk on both databases, a project, and Mixpanel's stand-in."""

from collections.abc import Iterator
from functools import partial

import pytest

from blueprints.outbound import background_send
from outbound import projects
from outbound.projects import Project, ProjectFields
from runtime import Runtime
from tests.conftest import MakeRelay
from tests.mixpanel import Mixpanel, stand_in
from tests.relay import Relay

TOKEN, USERNAME, SECRET = "planted-token-3f8a", "planted-account.91c2d4", "planted-secret-7b1e"
DRAFT = ProjectFields("prod", "us", "2891273", TOKEN, USERNAME, SECRET, "example-co")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pages wait for their answer however busy the machine is."""
    monkeypatch.setattr(background_send, "WAIT", 60.0)


@pytest.fixture
def mixpanel() -> Iterator[Mixpanel]:
    with stand_in() as found:
        yield found


@pytest.fixture
def relay(make_relay: MakeRelay, mixpanel: Mixpanel) -> Relay:
    """A relay whose calls go to the stand-in, without pauses between tries; its project is `prod`."""
    made = make_relay(mixpanel_base_url=mixpanel.url, send_pause_seconds=0)
    add_project(made)
    return made


@pytest.fixture
def runtime(relay: Relay) -> Runtime:
    return runtime_of(relay)


@pytest.fixture
def project(relay: Relay) -> Project:
    return project_of(relay)


def add_project(relay: Relay, draft: ProjectFields = DRAFT) -> None:
    relay.database.write(partial(projects.add, cipher=runtime_of(relay).cipher, draft=draft, now=relay.clock()))


def runtime_of(relay: Relay) -> Runtime:
    found: Runtime = relay.app.extensions["runtime"]
    return found


def project_of(relay: Relay, name: str = "prod") -> Project:
    found = relay.database.read(lambda db: projects.by_name(db, name))
    assert found is not None
    return found
