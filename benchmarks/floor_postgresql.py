"""The floor on PostgreSQL: psycopg and nothing else."""

from time import time_ns
from typing import Any

import msgspec
import psycopg

from benchmarks.floor import Decoded, profile, seen

COHORT = """SELECT id, change_count, session_count FROM cohort WHERE project_id = %s AND mixpanel_cohort_id = %s
    FOR NO KEY UPDATE"""
CREATE = """INSERT INTO cohort (project_id, mixpanel_cohort_id, name, description, member_count, version, session_count,
    change_count, newest_refresh, complete_refresh, created_at, last_call_at)
    VALUES (%s, %s, 'Bench', '', 0, 0, 0, 0, 0, 0, %s, %s) RETURNING id, change_count, session_count"""
SESSION = """SELECT s.id, s.number, p.body_digest FROM sync_session s
    LEFT JOIN sync_page p ON p.session_id = s.id AND p.page = %s
    WHERE s.cohort_id = %s AND s.mixpanel_session_id = %s AND s.action = %s"""
OPEN = """INSERT INTO sync_session (cohort_id, number, mixpanel_session_id, action, connection_id, status, unclear,
    total_pages, pages_received, received, entered, left_count, unchanged, rejected, replayed, first_change,
    last_change, started_at, last_page_at)
    VALUES (%s, %s, %s, %s, 1, 'receiving', false, %s, 0, 0, 0, 0, 0, 0, 0, 0, 0, %s, %s) RETURNING id"""
READ = """
    SELECT j.key, p.id, p.same, m.entered_at, m.left_at, m.entry_number, m.change_number
    FROM json_each_text(%s::json) j
    LEFT JOIN LATERAL (SELECT id, digest IS NOT DISTINCT FROM j.value::bigint AS same FROM person
        WHERE project_id = %s AND distinct_id = j.key COLLATE "C" OFFSET 0) p ON true
    LEFT JOIN LATERAL (SELECT entered_at, left_at, entry_number, change_number FROM membership
        WHERE cohort_id = %s AND person_id = p.id OFFSET 0) m ON true"""
PEOPLE = """
    INSERT INTO person (project_id, distinct_id, digest, named_fields, email, first_name, last_name, phone_number,
        properties, created_at, updated_at)
    SELECT %s, r.i, r.d, 15, r.e, r.f, r.l, r.t, r.p, %s, %s
    FROM json_to_recordset(%s::json) AS r(i text, d bigint, e text, f text, l text, t text, p jsonb)
    ON CONFLICT (project_id, distinct_id) DO UPDATE SET digest = excluded.digest, email = excluded.email,
        first_name = excluded.first_name, last_name = excluded.last_name, phone_number = excluded.phone_number,
        properties = person.properties || excluded.properties, updated_at = excluded.updated_at
    RETURNING distinct_id, id"""
STAYS = """
    WITH stay AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%s::json) AS r(i bigint, e bigint, l bigint, n int, c bigint, v bigint)
    ), logged AS (
        INSERT INTO membership_change (cohort_id, number, person_id, entered, entry_number, session_id, at, previous)
        SELECT %s, c, i, l IS NULL, n, %s, %s, v FROM stay)
    INSERT INTO membership (cohort_id, person_id, entered_at, left_at, entry_number, session_number, change_number)
    SELECT %s, i, e, l, n, %s, c FROM stay
    ON CONFLICT (cohort_id, person_id) DO UPDATE SET entered_at = excluded.entered_at, left_at = excluded.left_at,
        entry_number = excluded.entry_number, session_number = excluded.session_number,
        change_number = excluded.change_number"""
PAGE = """INSERT INTO sync_page (session_id, page, body_digest, received, entered, left_count, unchanged, rejected,
    replays, applied, seen, received_at) VALUES (%s, %s, %s, %s, %s, %s, %s, 0, 0, true, %s, %s)"""
COUNTS = """UPDATE sync_session SET pages_received = pages_received + 1, received = received + %s,
    entered = entered + %s, left_count = left_count + %s, last_change = %s, last_page_at = %s WHERE id = %s"""
TOTALS = """UPDATE cohort SET member_count = member_count + %s, change_count = %s, version = version + 1,
    session_count = %s, last_call_at = %s WHERE id = %s"""


def as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


class Floor:
    def __init__(self, url: str) -> None:
        self.db = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        self.db.close()

    def page(self, body: bytes) -> None:
        decoded = Decoded(body)
        with self.db.transaction():
            self.apply(decoded, time_ns() // 1_000_000)

    def apply(self, decoded: Decoded, now: int) -> None:
        db, parameters = self.db, decoded.parameters
        project, remove = parameters.mixpanel_project_id, decoded.action == "remove_members"
        known = (project, parameters.mixpanel_cohort_id)
        row = db.execute(COHORT, known).fetchone() or db.execute(CREATE, (*known, now, now)).fetchone()
        cohort, log, sessions = row
        key = (parameters.page_info.page_count, cohort, parameters.mixpanel_session_id, decoded.action)
        found = db.execute(SESSION, key).fetchone()
        if found is None:
            sessions += 1
            values = (cohort, sessions, key[2], key[3], parameters.page_info.total_pages, now, now)
            found = (db.execute(OPEN, values).fetchone()[0], sessions)
        session, number = found[:2]
        rows = db.execute(READ, (as_json(decoded.digests), project, cohort)).fetchall()
        people = []
        for key_, person, same, *_ in rows:
            if person is None or not (same or remove):
                (email, first, last, phone), properties = profile(decoded.members[key_])
                one = {"i": key_, "d": decoded.digests[key_], "e": email, "f": first, "l": last, "t": phone}
                people.append(one | {"p": properties})
        written = dict(db.execute(PEOPLE, (project, now, now, as_json(people))).fetchall()) if people else {}
        ids, stays = [], []
        for key_, person, _, entered_at, left_at, entry, last_change in rows:
            person_id = person or written[key_]
            ids.append(person_id)
            if remove and entry and left_at is None:
                log += 1
                stays.append({"i": person_id, "e": entered_at, "l": now, "n": entry, "c": log, "v": last_change})
            elif not remove and (not entry or left_at is not None):
                log += 1
                entry = (entry or 0) + 1
                stays.append({"i": person_id, "e": now, "l": None, "n": entry, "c": log, "v": last_change or 0})
        if stays:
            db.execute(STAYS, (as_json(stays), cohort, session, now, cohort, number))
        entered, left = (0, len(stays)) if remove else (len(stays), 0)
        page = (session, parameters.page_info.page_count, decoded.body_digest, len(ids), entered, left)
        db.execute(PAGE, (*page, len(ids) - entered - left, seen(ids), now))
        db.execute(COUNTS, (len(ids), entered, left, log, now, session))
        db.execute(TOTALS, (entered - left, log, sessions, now, cohort))
