"""No column is forgotten: whatever can hold a text is searched, or is known to be about nobody."""

from sqlalchemy import LargeBinary, Text

from erasure.pii_columns import NOBODY, PII_COLUMNS
from models.database import db

LOOKED_AT: dict[str, set[str]] = {}
for place in PII_COLUMNS:
    LOOKED_AT.setdefault(place.table, set()).update(place.looks)


def test_every_column_of_text_is_searched_or_about_nobody() -> None:
    for table in db.metadata.sorted_tables:
        texts = {column.name for column in table.columns if isinstance(column.type, Text)}
        assert texts == LOOKED_AT.get(table.name, set()) | NOBODY.get(table.name, set()), table.name
        assert not LOOKED_AT.get(table.name, set()) & NOBODY.get(table.name, set()), table.name


def test_bytes_are_digests_and_numbers_of_ours() -> None:
    found = {
        f"{table.name}.{column.name}"
        for table in db.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert found == {
        "api_token.digest",
        "attempt.message_ids",
        "connection_password.digest",
        "erasure.digest",
        "handover.digest",
        "handover.sealed",  # opens with SECRET_KEY only; an erasure empties the table
        "one_time_link.digest",
        "passkey.credential_id",  # of an operator's device
        "passkey.key",  # the public half
        "recovery_code.digest",
        "refused_request.sealed",  # opens with SECRET_KEY only; an erasure opens each (erasure/refused_requests.py)
        "secret_key_check.digest",
        "secret_key_check.names_digest",
        "sign_in.digest",
        "sync_page.body_digest",
        "sync_page.seen",
    }


def test_every_blank_is_of_a_column_and_leaves_nothing_behind() -> None:
    for place in PII_COLUMNS:
        table = db.metadata.tables[place.table]
        assert {*place.key, *place.looks, *place.blanks} <= set(table.columns.keys())
        assert [column.name for column in table.primary_key] == list(place.key)
        assert not place.blanks or set(place.looks) <= set(place.blanks), place.table
