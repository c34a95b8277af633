"""`flask db`: the tables."""

from pathlib import Path

import sqlalchemy

from app import create_app
from models.database import db
from tests.commands.conftest import terminal_of
from tests.conftest import settings_for


def test_upgrade_makes_every_table_and_can_be_repeated(tmp_path: Path) -> None:
    app = create_app(settings_for(tmp_path))
    first, again = (terminal_of(app)("db", "upgrade") for _ in range(2))
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert again.output == first.output
    assert first.output.startswith("The tables are at revision ")
    engine = app.extensions["house"].database.reader
    assert set(db.metadata.tables) <= set(sqlalchemy.inspect(engine).get_table_names())
    app.extensions["house"].database.dispose()
