"""The crowd put into PostgreSQL by COPY, as its first export over HTTP would have left it: for looking at one part
without waiting for ten thousand pages."""

from collections.abc import Iterator

import msgspec
import psycopg
import xxhash

from benchmarks.pages import PAGE, PROJECT
from benchmarks.scale.crowd import member, shuffled
from benchmarks.scale.stage import Stage
from config.clock import MINUTE, now
from sync import id_sets
from sync.contract.member_ids import members as named

UNIQUE = "ALTER TABLE person {} CONSTRAINT uq_person_project_id_distinct_id {}"
PERSON = """COPY person (id, project_id, distinct_id, digest, named_fields, email, first_name, last_name, phone_number,
    properties, created_at, updated_at) FROM STDIN"""
PAGES = """COPY sync_page (session_id, page, body_digest, received, entered, left_count, unchanged, rejected, replays,
    applied, seen, received_at) FROM STDIN WITH (FORMAT BINARY)"""
COHORT = (
    """INSERT INTO cohort (id, project_id, mixpanel_cohort_id, name, description, member_count, version, session_count,
        change_count, newest_refresh, complete_refresh, created_at, first_synced_at, last_synced_at, last_call_at)
    VALUES (1, %(project)s, 'big', 'Cohort big', 'made for measuring', %(people)s, %(pages)s, 1, %(people)s, 1, 1,
        %(then)s, %(then)s, %(then)s, %(then)s)""",
    """INSERT INTO sync_session (id, cohort_id, number, mixpanel_session_id, action, connection_id, status, unclear,
        total_pages, pages_received, received, entered, left_count, unchanged, rejected, replayed, first_change,
        last_change, started_at, last_page_at, completed_at)
    VALUES (1, 1, 1, 'first', 'members', 1, 'complete', false, %(pages)s, %(pages)s, %(people)s, %(people)s, 0, 0, 0, 0,
        1, %(people)s, %(then)s, %(then)s, %(then)s)""",
    """INSERT INTO membership (cohort_id, person_id, entered_at, entry_number, session_number, change_number)
    SELECT 1, i, %(then)s, 1, 1, i FROM generate_series(1::bigint, %(people)s) i""",
    """INSERT INTO membership_change (cohort_id, number, person_id, entered, entry_number, session_id, at, previous)
    SELECT 1, i, i, true, 1, 1, %(then)s, 0 FROM generate_series(1::bigint, %(people)s) i""",
    "SELECT setval(pg_get_serial_sequence('cohort', 'id'), 1), setval(pg_get_serial_sequence('sync_session', 'id'), 1)",
)
COLUMNS = ("email", "first_name", "last_name", "phone_number")


def fill(stage: Stage, people: int) -> None:
    """Everybody is in the cohort `big`, whose one session, `first`, is complete."""
    stage.connect("big")
    with psycopg.connect(stage.url, autocommit=True) as db:
        db.execute("SET statement_timeout = 0")
        indexes = db.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'person' AND indexname LIKE 'ix_%'"
        ).fetchall()
        for name, _ in indexes:
            db.execute(f"DROP INDEX {name}")  # type: ignore[arg-type]
        db.execute(UNIQUE.format("DROP", ""))  # type: ignore[arg-type]
        with db.cursor().copy(PERSON) as copy:
            for row in _people(people):
                copy.write_row(row)
        db.execute(UNIQUE.format("ADD", "UNIQUE (project_id, distinct_id)"))  # type: ignore[arg-type]
        for _, definition in indexes:
            db.execute(definition)  # type: ignore[arg-type]
        db.execute("SELECT setval(pg_get_serial_sequence('person', 'id'), %s)", (people,))
        _cohort(db, people)
        db.execute("VACUUM ANALYZE")


def _people(people: int) -> Iterator[tuple[object, ...]]:
    """Numbered as their pages would have numbered them: page by page, by distinct id within each."""
    number = 0
    for some in shuffled(people):
        found = named([msgspec.Raw(member(one).encode()) for one in some]).members
        for distinct_id, raw in found.items():
            number += 1
            profile = msgspec.json.decode(raw)
            del profile["mixpanel_distinct_id"]
            fields = [profile.pop(column) for column in COLUMNS]
            digest = xxhash.xxh3_64_intdigest(raw) - (1 << 63)
            properties = msgspec.json.encode(profile).decode()
            yield (number, PROJECT, distinct_id, digest, 15, *fields, properties, 1, 1)


def _cohort(db: "psycopg.Connection[tuple[object, ...]]", people: int) -> None:
    total = -(-people // PAGE)
    values = {"project": PROJECT, "people": people, "pages": total, "then": now() - 30 * MINUTE}
    for statement in COHORT:
        db.execute(statement, values)  # type: ignore[arg-type]
    with db.cursor().copy(PAGES) as copy:
        copy.set_types(["int8", "int8", "bytea", *["int4"] * 6, "bool", "bytea", "int8"])
        for page in range(total):
            named_here = range(page * PAGE + 1, min((page + 1) * PAGE, people) + 1)
            size, blob = len(named_here), id_sets.encode(named_here)
            copy.write_row((1, page + 1, b"%d" % page, size, size, 0, 0, 0, 0, True, blob, values["then"]))
