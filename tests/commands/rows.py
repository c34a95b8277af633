"""A row with odd values in every table, whichever tables there are, and everything that is stored."""

import json
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import Boolean, Connection, LargeBinary, Table, Text, cast, insert, select

from models.columns import Json
from models.database import db

# What a driver, COPY, or jsonb could take for something else.
ODD_TEXT = 'tab\t line\n \\N \\. "quotes" back\\slash ünï 🙂'
ODD_PROPERTIES = {
    "float": 0.1,
    "exponent": 1e23,
    "whole": 2.0,
    "large": 2**70,
    "text": ODD_TEXT,
    "nested": {"b": [1, None, True], "a": {}},
    "": "no name",
}


def tables() -> list[Table]:
    return list(db.metadata.sorted_tables)


def fill(connection: Connection, table: Table) -> None:
    """A row with odd values, where the table has none."""
    if connection.execute(select(table).limit(1)).first() is None:
        connection.execute(insert(table).values({one.name: odd(connection, one) for one in table.columns}))


def odd(connection: Connection, column: Any) -> Any:
    for key in column.foreign_keys:
        return connection.execute(select(key.column).limit(1)).scalar_one()
    if column.type is Json:
        return ODD_PROPERTIES
    kinds = {Boolean: True, LargeBinary: b'\0\xff\n\\"', Text: ODD_TEXT}
    return next((value for kind, value in kinds.items() if isinstance(column.type, kind)), 7)


def everything(app: Flask) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, as the app's types read them; JSON is decoded."""

    def read(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
        return {one.name: [decoded(one, row) for row in connection.execute(ordered(one))] for one in tables()}

    found: dict[str, list[tuple[Any, ...]]] = app.extensions["runtime"].database.read(read)
    return found


def ordered(table: Table) -> Any:
    columns = [cast(one, Text) if one.type is Json else one for one in table.columns]
    return select(*columns).order_by(*table.primary_key)


def decoded(table: Table, row: Any) -> tuple[Any, ...]:
    pairs = zip(table.columns, row, strict=True)
    return tuple(exact(value) if one.type is Json and value is not None else value for one, value in pairs)


def exact(value: str) -> Any:
    """1e23 and 100000000000000000000000 are the same number, which Python's float is not."""
    return json.loads(value, parse_int=Decimal, parse_float=Decimal)
