"""Tests of the dashboard: whoever signs in here does not wait for a hash that is slow by intent."""

import pytest

from tests.relay import hash_quickly


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    hash_quickly(monkeypatch)
