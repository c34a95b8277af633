"""The floor on SQLite: `sqlite3` and nothing else."""

import sqlite3
from pathlib import Path
from time import time_ns

import msgspec

from benchmarks.floor import Decoded, profile, seen

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=16000", "cache_size=-49152", "foreign_keys=ON")

READ = """
    SELECT j.key, p.id, p.digest IS j.value, m.entered_at, m.left_at, m.entry_number, m.change_number
    FROM json_each(?) j LEFT JOIN person p ON p.project_id = ? AND p.distinct_id = j.key
    LEFT JOIN membership m ON m.cohort_id = ? AND m.person_id = p.id"""
INSERT_PERSON = """
    INSERT INTO person (id, project_id, distinct_id, digest, named_fields, email, first_name, last_name, phone_number,
        properties, created_at, updated_at)
    VALUES (?, ?, ?, ?, 15, ?, ?, ?, ?, ?, ?, ?)"""
UPDATE_PERSON = """
    UPDATE person SET digest = ?, email = ?, first_name = ?, last_name = ?, phone_number = ?,
        properties = json_patch(properties, ?), updated_at = ? WHERE id = ?"""
MEMBERSHIP = """
    INSERT INTO membership VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (cohort_id, person_id) DO UPDATE SET
        entered_at = excluded.entered_at, left_at = excluded.left_at, entry_number = excluded.entry_number,
        session_number = excluded.session_number, change_number = excluded.change_number"""
COHORT = """
    INSERT INTO cohort (project_id, mixpanel_cohort_id, name, description, member_count, version, session_count,
        change_count, newest_refresh, complete_refresh, created_at, first_synced_at, last_synced_at, last_call_at)
    VALUES (?, ?, 'Bench', '', 0, 0, 0, 0, 0, 0, ?, ?, ?, ?)"""
SESSION = """
    INSERT INTO sync_session (cohort_id, number, mixpanel_session_id, action, connection_id, status, unclear,
        total_pages, pages_received, received, entered, left_count, unchanged, rejected, replayed, first_change,
        last_change, started_at, last_page_at)
    VALUES (?, ?, ?, ?, 1, 'receiving', 0, ?, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?, ?)"""
CHANGE = "INSERT INTO membership_change VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class Floor:
    def __init__(self, url: str) -> None:
        self.db = sqlite3.connect(Path(url.removeprefix("sqlite:///")), isolation_level=None)
        for pragma in PRAGMAS:
            self.db.execute(f"PRAGMA {pragma}")

    def close(self) -> None:
        self.db.close()

    def page(self, body: bytes) -> None:
        decoded = Decoded(body)
        self.db.execute("BEGIN IMMEDIATE")
        self.apply(decoded, time_ns() // 1_000_000)
        self.db.execute("COMMIT")

    def apply(self, decoded: Decoded, now: int) -> None:
        db, parameters = self.db, decoded.parameters
        project = parameters.mixpanel_project_id
        cohort, log, number = self.cohort(project, parameters.mixpanel_cohort_id, now)
        session, number = self.session(cohort, number, decoded, now)
        rows = db.execute(READ, (msgspec.json.encode(decoded.digests).decode(), project, cohort)).fetchall()
        highest = db.execute("SELECT coalesce(max(id), 0) FROM person").fetchone()[0]
        ids, inserts, updates, stays, changes = [], [], [], [], []
        remove = decoded.action == "remove_members"
        for key, person, same, entered_at, left_at, entry, last_change in rows:
            if person is None:
                highest += 1
                person = highest
                fields, properties = profile(decoded.members[key])
                properties = msgspec.json.encode(properties).decode()
                inserts.append((person, project, key, decoded.digests[key], *fields, properties, now, now))
            elif not same and not remove:
                fields, properties = profile(decoded.members[key])
                properties = msgspec.json.encode(properties).decode()
                updates.append((decoded.digests[key], *fields, properties, now, person))
            ids.append(person)
            if remove and entry and left_at is None:
                log += 1
                stays.append((cohort, person, entered_at, now, entry, number, log))
                changes.append((cohort, log, person, 0, entry, session, now, last_change))
            elif not remove and (not entry or left_at is not None):
                log += 1
                entry = (entry or 0) + 1
                stays.append((cohort, person, now, None, entry, number, log))
                changes.append((cohort, log, person, 1, entry, session, now, last_change or 0))
        for statement, many in ((INSERT_PERSON, inserts), (UPDATE_PERSON, updates), (MEMBERSHIP, sorted(stays))):
            if many:
                db.executemany(statement, many)
        if changes:
            db.executemany(CHANGE, changes)
        self.finish(cohort, session, decoded, ids, -len(changes) if remove else len(changes), log, now)

    def cohort(self, project: str, cohort: str, now: int) -> tuple[int, int, int]:
        find = "SELECT id, change_count, session_count FROM cohort WHERE project_id = ? AND mixpanel_cohort_id = ?"
        row = self.db.execute(find, (project, cohort)).fetchone()
        if row is None:
            self.db.execute(COHORT, (project, cohort, now, now, now, now))
            row = self.db.execute(find, (project, cohort)).fetchone()
        return row

    def session(self, cohort: int, count: int, decoded: Decoded, now: int) -> tuple[int, int]:
        find = """SELECT s.id, s.number, p.body_digest FROM sync_session s
            LEFT JOIN sync_page p ON p.session_id = s.id AND p.page = ?
            WHERE s.cohort_id = ? AND s.mixpanel_session_id = ? AND s.action = ?"""
        parameters = decoded.parameters
        key = (parameters.page_info.page_count, cohort, parameters.mixpanel_session_id, decoded.action)
        row = self.db.execute(find, key).fetchone()
        if row is not None:
            return row[0], row[1]
        values = (cohort, count + 1, key[2], key[3], parameters.page_info.total_pages, now, now)
        return self.db.execute(SESSION, values).lastrowid or 0, count + 1

    def finish(
        self, cohort: int, session: int, decoded: Decoded, ids: list[int], changed: int, log: int, now: int
    ) -> None:
        page, digest = decoded.parameters.page_info.page_count, decoded.body_digest
        entered, left = max(changed, 0), max(-changed, 0)
        values = (session, page, digest, len(ids), entered, left, len(ids) - abs(changed), seen(ids), now)
        self.db.execute("INSERT INTO sync_page VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 1, ?, NULL, ?)", values)
        counts = """UPDATE sync_session SET pages_received = pages_received + 1, received = received + ?,
            entered = entered + ?, left_count = left_count + ?, last_change = ?, last_page_at = ? WHERE id = ?"""
        self.db.execute(counts, (len(ids), entered, left, log, now, session))
        totals = """UPDATE cohort SET member_count = member_count + ?, change_count = ?, version = version + 1,
            session_count = (SELECT max(number) FROM sync_session WHERE cohort_id = ?), last_call_at = ? WHERE id = ?"""
        self.db.execute(totals, (changed, log, cohort, now, cohort))
