"""One worker works on a row: claims that compete, run out, are renewed by what they wrote, and survive a clock."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text

from models.claims import Claim, Claims, Lease
from models.database import Database

NOW = 1_800_000_000_000
LEASE = Lease(1000)
JOBS = Claims("job", "state = 'waiting'", sets="tries = tries + 1", returning="id, tries, claimed_until")
END = text(JOBS.update("state = 'done', claimed_until = NULL"))
# Several threads work under the claim of a name.
NAMED = Claims("job", "state = 'waiting'", sets="claimed_by = :claim", proof="claimed_by")
TABLE = """CREATE TABLE job (id bigint PRIMARY KEY, state text NOT NULL DEFAULT 'waiting',
    tries bigint NOT NULL DEFAULT 0, claimed_until bigint, claimed_by text)"""


@pytest.fixture
def jobs(database: Database) -> Database:
    """A table with the rows 1 to 20."""
    database.write(lambda db: db.exec_driver_sql(TABLE).close())
    rows = ", ".join(f"({number})" for number in range(1, 21))
    database.write(lambda db: db.exec_driver_sql(f"INSERT INTO job (id) VALUES {rows}").close())
    return database


def claim(jobs: Database, row_id: int = 1, now: int = NOW, lease: Lease = LEASE) -> Claim | None:
    row = jobs.write(lambda db: JOBS.claim(db, row_id, lease, now))
    return None if row is None else Claim(row.id, row.claimed_until)


def due(jobs: Database, now: int = NOW, lease: Lease = LEASE, limit: int = 100) -> Sequence[int]:
    return jobs.read(lambda db: JOBS.due(db, lease, now, limit))


def taken(jobs: Database, now: int = NOW, row_id: int = 1) -> Claim:
    ours = claim(jobs, row_id, now)
    assert ours is not None
    return ours


def renewed(jobs: Database, ours: Claim, until: int) -> bool:
    return jobs.write(lambda db: JOBS.renew(db, ours, until))


def released(jobs: Database, ours: Claim) -> bool:
    return jobs.write(lambda db: JOBS.release(db, ours))


def ended(jobs: Database, ours: Claim) -> bool:
    return jobs.write(lambda db: db.execute(END, ours.values).rowcount) == 1


def test_of_competing_workers_one_gets_the_row(jobs: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: claim(jobs), range(8)))
    assert [ours for ours in found if ours] == [Claim(1, NOW + 1000)]
    assert jobs.read(lambda db: db.exec_driver_sql("SELECT tries FROM job WHERE id = 1").scalar_one()) == 1


def test_a_row_that_is_claimed_is_not_due(jobs: Database) -> None:
    taken(jobs)
    assert due(jobs) == list(range(2, 21))
    assert due(jobs, limit=1) == [2]


def test_a_row_that_is_not_to_be_worked_on_is_neither_due_nor_claimed(jobs: Database) -> None:
    assert ended(jobs, taken(jobs))
    assert 1 not in due(jobs)
    assert claim(jobs) is None


def test_a_claim_holds_until_its_end_and_not_a_millisecond_longer(jobs: Database) -> None:
    taken(jobs)
    assert claim(jobs, now=NOW + 999) is None
    assert claim(jobs, now=NOW + 1000) == Claim(1, NOW + 2000)


def test_a_claim_that_is_renewed_holds_longer(jobs: Database) -> None:
    ours = taken(jobs)
    assert renewed(jobs, ours, NOW + 1500)
    assert claim(jobs, now=NOW + 1499) is None
    assert not renewed(jobs, ours, NOW + 1600)  # by what it was before
    ours.until = NOW + 1500
    assert renewed(jobs, ours, NOW + 1600)


def test_a_row_that_is_released_is_free_at_once(jobs: Database) -> None:
    assert released(jobs, taken(jobs))
    assert claim(jobs, now=NOW + 1) is not None


def test_a_claim_that_ran_out_can_still_be_renewed_while_nobody_took_it(jobs: Database) -> None:
    assert renewed(jobs, taken(jobs), NOW + 9000)


def test_a_sleeper_whose_row_was_taken_can_neither_renew_nor_release_nor_end_it(jobs: Database) -> None:
    asleep = taken(jobs)
    awake = taken(jobs, NOW + 1000)
    assert not renewed(jobs, asleep, NOW + 5000)
    assert not released(jobs, asleep)
    assert not ended(jobs, asleep)
    assert renewed(jobs, awake, NOW + 2500)
    assert ended(jobs, Claim(1, NOW + 2500))


@pytest.mark.parametrize("back", [2000, 3_600_000, 86_400_000])
def test_a_clock_that_is_set_back_frees_a_claim_of_before(jobs: Database, back: int) -> None:
    asleep = taken(jobs)
    assert 1 in due(jobs, NOW - back)
    ours = taken(jobs, NOW - back)
    assert not ended(jobs, asleep)
    assert ended(jobs, ours)


def test_a_clock_that_goes_behind_by_less_than_a_lease_frees_nothing(jobs: Database) -> None:
    taken(jobs)
    assert claim(jobs, now=NOW - 1000) is None


def test_a_row_that_waits_by_the_same_column_is_free_when_its_wait_is_over(jobs: Database) -> None:
    ours, patient = taken(jobs), Lease(1000, furthest=50_000)
    assert renewed(jobs, ours, NOW + 50_000)
    assert claim(jobs, now=NOW + 49_999, lease=patient) is None
    assert claim(jobs, now=NOW + 50_000, lease=patient) is not None


def claimed_at_a_look(db: Connection, limit: int, now: int = NOW) -> list[Claim]:
    """Look, and claim what was seen in the same transaction."""
    rows = [JOBS.claim(db, row[0], LEASE, now) for row in JOBS.look(db, limit, LEASE, now)]
    return [Claim(row.id, row.claimed_until) for row in rows if row is not None]


def test_a_look_shows_the_first_free_rows_and_claims_nothing(jobs: Database) -> None:
    taken(jobs, row_id=2)
    rows = jobs.write(lambda db: JOBS.look(db, 3, LEASE, NOW + 1))
    assert [row[0] for row in rows] == [1, 3, 4]
    assert due(jobs, NOW + 1, limit=1) == [1]


def test_competing_workers_that_claim_what_they_look_at_share_no_row(jobs: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        looks = pool.map(lambda _: jobs.write(lambda db: claimed_at_a_look(db, 3)), range(12))
        found = [claim.id for claims in looks for claim in claims]
    assert found
    assert len(set(found)) == len(found)
    assert jobs.read(lambda db: db.exec_driver_sql("SELECT max(tries) FROM job").scalar_one()) == 1


def test_each_row_claimed_at_a_look_is_ended_by_itself(jobs: Database) -> None:
    first, second = jobs.write(lambda db: claimed_at_a_look(db, 2))
    assert ended(jobs, first)
    assert released(jobs, second)


def test_a_claim_by_name_is_proven_while_another_thread_renews_it(jobs: Database) -> None:
    hold = text(NAMED.update("claimed_by = :claim"))
    renew = text(NAMED.update("claimed_until = :until", returning="state"))
    assert jobs.write(lambda db: NAMED.claim(db, 1, LEASE, NOW, {"claim": "a"})) is not None
    values = {"id": 1, "claim": "a", "until": NOW + 1500}
    assert jobs.write(lambda db: db.execute(renew, values).scalar_one_or_none()) == "waiting"
    assert jobs.write(lambda db: db.execute(hold, values).rowcount) == 1
    assert jobs.write(lambda db: NAMED.claim(db, 1, LEASE, NOW + 1500, {"claim": "b"})) is not None
    assert jobs.write(lambda db: db.execute(hold, values).rowcount) == 0
    assert jobs.write(lambda db: db.execute(renew, values).scalar_one_or_none()) is None
