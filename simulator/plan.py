"""Who is in which cohort at the start of a run: made from the seed, or taken over from what the API says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from random import Random

from simulator.exports import Cohort
from simulator.people import Member, Population
from simulator.reader import Reader, Row
from simulator.sender import NO_TROUBLES, Troubles

PROJECT = "1000001"

LABELS = (
    ("Trial users", "On a trial that has not ended"),
    ("Paying users", "On a paid plan"),
    ("Churn risk", "Paying, and not seen for two weeks"),
    ("Power users", "Active on five days of the last seven"),
    ("Newsletter readers", "Opened a newsletter in the last month"),
    ("Beta testers", "Asked to see what is new first"),
)


@dataclass(frozen=True)
class Plan:
    """What a run is to be. `people` and `cohorts` count per cohort and per connection, `churn` is the share of a
    cohort that leaves (and enters) per cycle, `minutes` are Mixpanel's between two cycles, `pause` is ours in
    seconds."""

    seed: str
    project: str = PROJECT
    cohorts: int = 3
    people: int = 1000
    cycles: int = 10
    churn: float = 0.02
    page_size: int = 1000
    first: str = "members"
    minutes: int = 30
    pause: float = 0
    time_scale: float = 0.01
    troubles: Troubles = NO_TROUBLES


def new_cohorts(plan: Plan, connections: int) -> list[list[Cohort]]:
    """Return each connection's cohorts. All draw on the same people, so that connections share them."""
    population = Population(plan.seed, 2 * plan.people)
    base = int.from_bytes(blake2b(plan.seed.encode(), digest_size=3).digest(), "big")
    every = [_new_cohort(plan, population, base * 1000 + number) for number in range(connections * plan.cohorts)]
    return [every[at : at + plan.cohorts] for at in range(0, len(every), plan.cohorts)]


def _new_cohort(plan: Plan, population: Population, number: int) -> Cohort:
    name, description = LABELS[number % 1000 % len(LABELS)]
    members = set(Random(f"{plan.seed}/{number}").sample(range(len(population)), plan.people))
    return Cohort(plan.project, str(number), name, description, population, members, first=plan.first)


def continued_cohorts(plan: Plan, connections: int, reader: Reader) -> list[list[Cohort]]:
    """Return the project's cohorts as the API has them, in step, spread over the connections. Raises CannotRead.

    A cohort whose whole export never ended is left alone: Mixpanel would start that over.
    """
    rows = [row for row in reader.cohorts() if row["project_id"] == plan.project and not _is_unfinished(reader, row)]
    known: list[Member] = []
    numbers: dict[str, int] = {}
    inside = [_take_over(reader, row, known, numbers) for row in rows]
    population = Population(plan.seed, max(100, len(known)), known, datetime.now(UTC).date())
    cohorts = [_continued(row, members, population) for row, members in zip(rows, inside, strict=True)]
    return [cohorts[at::connections] for at in range(connections)]


def _is_unfinished(reader: Reader, row: Row) -> bool:
    if row["status"] == "in_step":
        return False
    sessions = reader.sessions(row["project_id"], row["cohort_id"])
    return any(session["action"] == "members" and session["status"] in {"receiving", "stalled"} for session in sessions)


def _take_over(reader: Reader, row: Row, known: list[Member], numbers: dict[str, int]) -> set[int]:
    inside = set()
    for member in reader.members(row["project_id"], row["cohort_id"]):
        number = numbers.setdefault(member["distinct_id"], len(known))
        if number == len(known):
            known.append(_as_exported(member))
        inside.add(number)
    return inside


def _as_exported(row: Row) -> Member:
    fields = {name: row[name] for name in ("email", "first_name", "last_name", "phone_number") if row[name] is not None}
    return {"mixpanel_distinct_id": row["distinct_id"], **fields, **row["properties"]}


def _continued(row: Row, members: set[int], population: Population) -> Cohort:
    cohort = Cohort(row["project_id"], row["cohort_id"], row["name"], row["description"] or "", population, members)
    cohort.succeeded(0)
    return cohort


def already_there(reader: Reader, cohorts: Sequence[Cohort]) -> list[str]:
    """Return the ids of those cohorts that the API knows already: a first export by `add_members` would not clear
    them."""
    return [cohort.cohort_id for cohort in cohorts if reader.cohort(cohort.project_id, cohort.cohort_id) is not None]
