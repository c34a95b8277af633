"""Column types that the tables share.

Times are milliseconds since 1970 UTC in a BIGINT: the same number on both databases, in cursors and in arithmetic.
Ids that Mixpanel gives are text compared byte by byte (COLLATE "C" on PostgreSQL, measured at 0.68 of the time of a
locale's collation; SQLite's BINARY is the same order).
"""

import json
from dataclasses import fields
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB


class JsonText(Text):
    """JSON where the database has no type for it: values are written as text, and read back as what they were."""

    def bind_processor(self, _dialect: Dialect) -> Any:
        return lambda value: None if value is None else json.dumps(value)

    def result_processor(self, _dialect: Dialect, _coltype: Any) -> Any:
        return lambda written: None if written is None else json.loads(written)


# SQLite only makes a rowid alias of INTEGER PRIMARY KEY, and its INTEGER holds 64 bits anyway.
BigId = BigInteger().with_variant(Integer(), "sqlite")
Moment = BigInteger()
ExactText = Text().with_variant(Text(collation="C"), "postgresql")
# A number that was given is never given again, also when its row has gone: cookies, addresses and claims name rows by
# it. PostgreSQL's sequences are so anyway; SQLite gives the highest number again without this word.
NUMBERED_ONCE = {"sqlite_autoincrement": True}
# In statements that are built from the tables it takes and gives values. SQL of our own takes and gives what the driver
# does, which on SQLite is text.
Json = JsonText().with_variant(JSONB(none_as_null=True), "postgresql")


def columns_of(table: Any, row: Any) -> list[Any]:
    """Return the columns of a table that a dataclass has as its fields, in their order: `row(*found)` makes one."""
    return [table.__table__.columns[field.name] for field in fields(row)]


def is_storable(text: str) -> bool:
    """Tell whether the databases can hold and be asked for a text: no NUL, no half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
