"""How PostgreSQL should keep memberships: in one table or in a partition a cohort, and with how much room in its pages.

    python -m benchmarks.storage [--cohorts 60] [--members 50000]

Runs on a cluster of its own with the settings of benchmarks/scale/postgresql.conf, by raw SQL: what a page reads and
writes, what a sweep reads, and what dropping a cohort takes. Prints milliseconds (medians) and the ratio.
"""

import argparse
import random
import statistics
from collections.abc import Callable
from time import perf_counter

import psycopg

from benchmarks.scale.stage import SETTINGS
from tests.failing.cluster import private_cluster

ROUNDS = 40
PAGE = 1000
COLUMNS = """cohort_id bigint, person_id bigint, entered_at bigint NOT NULL, left_at bigint, entry_number int NOT NULL,
    session_number bigint NOT NULL, change_number bigint NOT NULL, PRIMARY KEY (cohort_id, person_id)"""

# As in sync/dialects/postgresql.py.
PROBE = """SELECT count(m.entered_at) FROM unnest(%s::bigint[]) AS j(id) LEFT JOIN LATERAL (
    SELECT entered_at FROM membership WHERE cohort_id = %s AND person_id = j.id OFFSET 0) m ON true"""
WRITE = """INSERT INTO membership SELECT %s, id, 1, {left_at}, 1, 2, 3 FROM unnest(%s::bigint[]) AS j(id)
    ON CONFLICT (cohort_id, person_id) DO UPDATE SET left_at = excluded.left_at,
        session_number = membership.session_number + 1, change_number = excluded.change_number"""
LEAVE, ENTER = WRITE.format(left_at="2"), WRITE.format(left_at="NULL")
SWEEP = "SELECT count(*) FROM (SELECT person_id FROM membership WHERE cohort_id = %s AND left_at IS NULL) x"
USES = """SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'membership'"""

Connection = psycopg.Connection[tuple[object, ...]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storage")
    parser.add_argument("--cohorts", type=int, default=60)
    parser.add_argument("--members", type=int, default=50_000)
    options = parser.parse_args()
    with private_cluster(SETTINGS.read_text()) as cluster:
        plain = _layout(cluster.new_database(), options.cohorts, options.members, parted=False)
        parted = _layout(cluster.new_database(), options.cohorts, options.members, parted=True)
        print(f"\n{options.cohorts} cohorts of {options.members:,}: one table against a partition a cohort")
        print(f"{'':34}{'one ms':>10}{'parts ms':>10}{'ratio':>8}")
        for what, one in plain.items():
            print(f"{what:34}{one:10.1f}{parted[what]:10.1f}{parted[what] / one:8.2f}")
        print(f"\nroom in a page: {options.members * 20:,} memberships, a twentieth changed {ROUNDS} times")
        print(f"{'fillfactor':>12}{'1,000 ms':>10}{'HOT':>8}{'MB before':>11}{'MB after':>10}")
        for factor in (70, 80, 90, 100):
            took, hot, before, after = _room(cluster.new_database(), options.members * 20, factor)
            print(f"{factor:>12}{took:10.1f}{hot:8.0%}{before:11.0f}{after:10.0f}", flush=True)


def _layout(url: str, cohorts: int, members: int, *, parted: bool) -> dict[str, float]:
    """Median milliseconds of each thing that is done to memberships."""
    dice = random.Random(5)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"CREATE TABLE membership ({COLUMNS}) {'PARTITION BY LIST (cohort_id)' if parted else ''}")  # type: ignore[arg-type]
        for cohort in range(1, cohorts + 1) if parted else ():
            db.execute(f"CREATE TABLE membership_{cohort} PARTITION OF membership FOR VALUES IN ({cohort})")  # type: ignore[arg-type]
        db.execute(
            """INSERT INTO membership SELECT c, p * 7 + c, 1, NULL, 1, 1, p
            FROM generate_series(1, %s) p, generate_series(1, %s) c""",
            (members, cohorts),
        )
        db.execute("VACUUM ANALYZE")

        def people() -> tuple[int, list[int]]:
            cohort = dice.randint(1, cohorts)
            return cohort, sorted(dice.randint(1, members) * 7 + cohort for _ in range(PAGE))

        def written(statement: str, shift: int = 0) -> None:
            cohort, ids = people()
            db.execute(statement, (cohort, sorted({one + shift for one in ids})))  # type: ignore[arg-type]

        return {
            "a page of members is read": _median(lambda: db.execute(PROBE, people()[::-1]), ROUNDS),
            "a page of strangers enters": _median(lambda: written(ENTER, 3), ROUNDS),
            "a page of members leaves": _median(lambda: written(LEAVE), ROUNDS),
            "a cohort is swept": _median(lambda: db.execute(SWEEP, (people()[0],)), ROUNDS // 4),
            "a cohort goes": _drop(db, cohorts, parted=parted),
        }


def _drop(db: Connection, cohorts: int, *, parted: bool) -> float:
    gone = iter(range(1, cohorts))

    def drop() -> None:
        cohort = next(gone)
        if parted:
            db.execute(f"DROP TABLE membership_{cohort}")  # type: ignore[arg-type]
        else:
            db.execute("DELETE FROM membership WHERE cohort_id = %s", (cohort,))

    return _median(drop, 5)


def _room(url: str, members: int, factor: int) -> tuple[float, float, float, float]:
    """(milliseconds for a thousand, share of HOT updates, MB before, MB after) at this fillfactor."""
    dice = random.Random(6)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"CREATE TABLE membership ({COLUMNS}) WITH (fillfactor = {factor})")  # type: ignore[arg-type]
        db.execute("INSERT INTO membership SELECT 1, p, 1, NULL, 1, 1, p FROM generate_series(1, %s) p", (members,))
        db.execute("VACUUM ANALYZE")
        before = _size(db)
        restless = dice.sample(range(1, members), members // 20)
        times = []
        for turn in range(ROUNDS):
            some = sorted(dice.sample(restless, min(PAGE * 5, len(restless))))
            for start in range(0, len(some), PAGE):
                started = perf_counter()
                db.execute(LEAVE if turn % 2 else ENTER, (1, some[start : start + PAGE]))  # type: ignore[arg-type]
                times.append(perf_counter() - started)
        db.execute("SELECT pg_stat_force_next_flush()")
        ((updates, hot),) = db.execute(USES).fetchall()
        return statistics.median(times) * 1000, int(str(hot)) / int(str(updates)), before, _size(db)


def _size(db: Connection) -> float:
    ((size,),) = db.execute("SELECT pg_total_relation_size('membership')").fetchall()
    return int(str(size)) / 2**20


def _median(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = perf_counter()
        work()
        times.append(perf_counter() - started)
    return statistics.median(times) * 1000


if __name__ == "__main__":
    main()
