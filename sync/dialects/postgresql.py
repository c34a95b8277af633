"""PostgreSQL: one JSON parameter a statement, written in key order.

`OFFSET 0` keeps the planner on one index probe a person: a cohort that is not yet in its statistics looks empty to
it, and it would hash the whole of it for every page (8 times slower). People are read first and written only where
they differ, because an upsert that changes nothing still locks and logs every row.
"""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from models.statement import Statement
from sync.apply.membership import People, Stay
from sync.apply.people import Change
from sync.contract import json_text

_READ = Statement("""
    SELECT j.key, p.id, p.profile,
        m.entered_at, m.left_at, m.entry_number, m.session_number, m.change_number
    FROM json_each_text(CAST(:digests AS json)) j
    LEFT JOIN LATERAL (
        SELECT id, CASE WHEN j.value IS NOT NULL AND digest IS DISTINCT FROM CAST(j.value AS bigint) THEN
            json_build_array(email, first_name, last_name, phone_number, CAST(properties AS text))::text END AS profile
        FROM person WHERE project_id = :project_id AND distinct_id = j.key COLLATE "C" OFFSET 0) p ON true
    LEFT JOIN LATERAL (
        SELECT entered_at, left_at, entry_number, session_number, change_number
        FROM membership WHERE cohort_id = :cohort_id AND person_id = p.id OFFSET 0) m ON true""")

# The patch is merged here and not in Python: another cohort's page may change the same person at the same time, and
# only the row's lock makes "keys that are absent stay" true. ORDER BY is the order of the locks.
_WRITE_PEOPLE = Statement("""
    INSERT INTO person (project_id, distinct_id, digest, named_fields, email, first_name, last_name, phone_number,
        properties, created_at, updated_at)
    SELECT :project_id, r.i, r.d, r.n, r.e, r.f, r.l, r.t, r.p, :now, :now
    FROM json_to_recordset(CAST(:people AS json))
        AS r(i text, d bigint, n smallint, e text, f text, l text, t text, p jsonb)
    ORDER BY r.i COLLATE "C"
    ON CONFLICT (project_id, distinct_id) DO UPDATE SET
        digest = excluded.digest, named_fields = excluded.named_fields,
        email = CASE WHEN excluded.named_fields & 1 > 0 THEN excluded.email ELSE person.email END,
        first_name = CASE WHEN excluded.named_fields & 2 > 0 THEN excluded.first_name ELSE person.first_name END,
        last_name = CASE WHEN excluded.named_fields & 4 > 0 THEN excluded.last_name ELSE person.last_name END,
        phone_number = CASE WHEN excluded.named_fields & 8 > 0 THEN excluded.phone_number ELSE person.phone_number END,
        properties = person.properties || excluded.properties, updated_at = excluded.updated_at
    RETURNING distinct_id, id""")

_WRITE_STAYS = Statement("""
    WITH stay AS MATERIALIZED (
        SELECT * FROM json_to_recordset(CAST(:stays AS json))
            AS r(person_id bigint, entered_at bigint, left_at bigint, entry_number int, change_number bigint,
                entered bool, previous bigint)
    ), logged AS (
        INSERT INTO membership_change (cohort_id, number, person_id, entered, entry_number, session_id, at, previous)
        SELECT :cohort_id, change_number, person_id, entered, entry_number, :session_id, :now, previous
        FROM stay WHERE entered IS NOT NULL
    )
    INSERT INTO membership (cohort_id, person_id, entered_at, left_at, entry_number, session_number, change_number)
    SELECT :cohort_id, person_id, entered_at, left_at, entry_number, :session_number, change_number FROM stay
    ON CONFLICT (cohort_id, person_id) DO UPDATE SET entered_at = excluded.entered_at, left_at = excluded.left_at,
        entry_number = excluded.entry_number, session_number = excluded.session_number,
        change_number = excluded.change_number""")


class _Row(msgspec.Struct, gc=False):
    """A `Stay` as `json_to_recordset` takes it."""

    person_id: int
    entered_at: int
    left_at: int | None
    entry_number: int
    change_number: int
    entered: bool | None
    previous: int


def read_people(
    db: Connection, project_id: str, cohort_id: int, digests: Mapping[str, int | None], _refresh: int | None
) -> People:
    keys = msgspec.json.encode(digests).decode()
    values = {"digests": keys, "project_id": project_id, "cohort_id": cohort_id}
    return People(_READ.all(db, values))


def write_people(
    db: Connection,
    project_id: str,
    people: Sequence[Change],
    _highest_id: int,  # the table numbers people here
    now: int,
) -> dict[str, int]:
    if not people:
        return {}
    rows = []
    for change in people:
        email, first, last, phone = change.patch.fields
        rows.append(
            {
                "i": change.distinct_id,
                "d": change.digest,
                "n": change.patch.named,
                "e": email,
                "f": first,
                "l": last,
                "t": phone,
                "p": change.patch.properties,
            }
        )
    written = _WRITE_PEOPLE.all(db, {"people": json_text.encode(rows), "project_id": project_id, "now": now})
    return dict(written)


def write_stays(
    db: Connection, cohort_id: int, session_number: int, session_id: int, stays: Sequence[Stay], now: int
) -> None:
    if not stays:
        return
    values = {"cohort_id": cohort_id, "session_number": session_number, "session_id": session_id, "now": now}
    _WRITE_STAYS.run(db, values | {"stays": msgspec.json.encode([_Row(*stay) for stay in stays]).decode()})
