"""SQLite: keys in one JSON parameter for reading, `executemany` for writing (JSON as input of a write costs 25-40 %
more). The one writer's lock makes it safe to merge profiles here and to number people from the highest id on."""

from collections.abc import Mapping, Sequence
from itertools import count
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import Connection

from models.statement import Statement
from sync.apply.membership import People, Stay
from sync.apply.people import Change
from sync.contract import json_text

# JSON instead of rows, and an id alone for whom nothing changes, as is nearly everybody in most refreshes: SQLite's
# driver makes a thousand rows of eight columns in the time in which all the rest of the statement runs.
_SETTLED = "(p.digest IS j.value AND m.left_at IS NULL AND m.session_number <> :refresh)"
_READ = Statement(f"""
    SELECT json_group_array(p.id) FILTER (WHERE {_SETTLED}),
        json_group_array(json_array(j.key, p.id,
            CASE WHEN p.id IS NOT NULL AND j.value IS NOT NULL AND p.digest IS NOT j.value
                THEN '' || json_array(p.email, p.first_name, p.last_name, p.phone_number, p.properties) END,
            m.entered_at, m.left_at, m.entry_number, m.session_number, m.change_number))
            FILTER (WHERE {_SETTLED} IS NOT TRUE),
        (SELECT coalesce(max(id), 0) FROM person)
    FROM json_each(:digests) j
    LEFT JOIN person p ON p.project_id = :project_id AND p.distinct_id = j.key
    LEFT JOIN membership m ON m.cohort_id = :cohort_id AND m.person_id = p.id""")  # noqa: S608

_WRITE_PERSON = Statement("""
    INSERT INTO person (id, project_id, distinct_id, digest, named_fields, email, first_name, last_name, phone_number,
        properties, created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, named_fields = excluded.named_fields,
        email = excluded.email, first_name = excluded.first_name, last_name = excluded.last_name,
        phone_number = excluded.phone_number, properties = excluded.properties, updated_at = excluded.updated_at""")

_WRITE_MEMBERSHIP = Statement("""
    INSERT INTO membership (cohort_id, person_id, entered_at, left_at, entry_number, session_number, change_number)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (cohort_id, person_id) DO UPDATE SET entered_at = excluded.entered_at, left_at = excluded.left_at,
        entry_number = excluded.entry_number, session_number = excluded.session_number,
        change_number = excluded.change_number""")

_APPEND = Statement("""
    INSERT INTO membership_change (cohort_id, number, person_id, entered, entry_number, session_id, at, previous)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)""")

_decode_ids = msgspec.json.Decoder(list[int]).decode
_decode_known = msgspec.json.Decoder(list[tuple[Any, ...]]).decode


def read_people(
    db: Connection, project_id: str, cohort_id: int, digests: Mapping[str, int | None], refresh: int | None
) -> People:
    keys = msgspec.json.encode(digests).decode()
    values = {"digests": keys, "project_id": project_id, "cohort_id": cohort_id, "refresh": refresh}
    settled, known, highest_id = _READ.one(db, values)
    return People(_decode_known(known), highest_id, _decode_ids(settled))


def write_people(
    db: Connection, project_id: str, people: Sequence[Change], highest_id: int, now: int
) -> dict[str, int]:
    if not people:
        return {}
    fresh = count(highest_id + 1)
    ids = {change.distinct_id: change.person_id or next(fresh) for change in people}
    rows = [
        (
            ids[change.distinct_id],
            project_id,
            change.distinct_id,
            change.digest,
            change.patch.named,
            *change.result.fields,
            json_text.encode(change.result.properties),
            now,
            now,
        )
        for change in people
    ]
    _WRITE_PERSON.run_many(db, rows)
    return ids


def write_stays(
    db: Connection, cohort_id: int, session_number: int, session_id: int, stays: Sequence[Stay], now: int
) -> None:
    if not stays:
        return
    rows = [
        (cohort_id, person_id, entered_at, left_at, entry_number, session_number, change)
        for person_id, entered_at, left_at, entry_number, change, _, _ in stays
    ]
    rows.sort(key=itemgetter(1))
    _WRITE_MEMBERSHIP.run_many(db, rows)
    log = [
        (cohort_id, change, person_id, entered, entry_number, session_id, now, previous)
        for person_id, _, _, entry_number, change, entered, previous in stays
        if entered is not None
    ]
    if log:
        _APPEND.run_many(db, log)
