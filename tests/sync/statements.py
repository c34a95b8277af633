"""The SQL statements that a stretch of work sends to the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from tests.relay import Relay


@contextmanager
def watched(relay: Relay) -> Iterator[list[str]]:
    """The statements of all engines while the block runs, in order; BEGIN and COMMIT are not among them."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(" ".join(statement.split()))

    engines = {relay.database.reader, relay.database.writer}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def writes_to(table: str, statements: list[str]) -> list[str]:
    """Those that write rows of `table`."""
    return [one for one in statements if f"INSERT INTO {table} " in one or one.startswith(f"UPDATE {table} ")]
