"""A database that has no tables yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import create_app
from models.database import Database
from tests.conftest import settings_for


@pytest.fixture
def database(empty_database: str, tmp_path: Path) -> Iterator[Database]:
    """An empty database that no other test uses."""
    app = create_app(settings_for(tmp_path, database_url=empty_database))
    with app.app_context():
        yield app.extensions["runtime"].database
    app.extensions["runtime"].database.dispose()
