"""Tests of erasing: a relay with somebody planted in every place, on both databases."""

from pathlib import Path

import pytest

from erasure import Eraser, eraser
from tests.commands.conftest import Terminal, terminal_of
from tests.conftest import MakeRelay
from tests.erasure.planted import plant
from tests.mixpanel import Mixpanel
from tests.outbound.conftest import add_project, mixpanel
from tests.relay import Relay

__all__ = ["mixpanel"]


@pytest.fixture
def relay(make_relay: MakeRelay, mixpanel: Mixpanel) -> Relay:
    made = make_relay(mixpanel_base_url=mixpanel.url, send_pause_seconds=0, allow_private_destinations=True)
    add_project(made)
    return made


@pytest.fixture
def planted(relay: Relay, tmp_path: Path) -> Relay:
    plant(relay, tmp_path)
    return relay


@pytest.fixture
def terminal(relay: Relay) -> Terminal:
    return terminal_of(relay.app)


@pytest.fixture
def here(relay: Relay) -> Eraser:
    return eraser(relay.app.extensions["runtime"])
