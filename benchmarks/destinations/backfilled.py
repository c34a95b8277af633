"""Where a backfill goes: a table in a company's own database, and an API that keeps a list and answers at once."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import requests
from psycopg.errors import UndefinedTable

from benchmarks.destinations.relay import FAST, far_end, seen
from benchmarks.pages import PROJECT
from benchmarks.scale.stage import Stage

_THERE = "SELECT 1 FROM cohort_membership WHERE project_id = %s AND cohort_id = 'big' AND identity = %s"


@dataclass(frozen=True)
class FarEnd:
    """A destination to be, whether somebody has arrived there, and of how many people it was told."""

    name: str
    type: str
    settings: dict[str, Any]
    secrets: dict[str, str]
    arrived: Callable[[str], bool]
    told: Callable[[], int]


@contextmanager
def table(stage: Stage) -> Iterator[FarEnd]:
    """A table in another database of the same server."""
    url = f"{stage.url.rpartition('/')[0]}/company"
    with psycopg.connect(stage.url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE company")
    with psycopg.connect(url, autocommit=True) as db:

        def arrived(who: str) -> bool:
            try:
                return db.execute(_THERE, (PROJECT, who)).fetchone() is not None
            except UndefinedTable:  # nobody was told of yet
                return False

        def told() -> int:
            return int(str(db.execute("SELECT count(*) FROM cohort_membership").fetchone()[0]))  # type: ignore[index]

        yield FarEnd("table", "sql", {"url": url, **FAST}, {}, arrived, told)


@contextmanager
def api(_stage: Stage) -> Iterator[FarEnd]:
    """A list of Customer.io's, a thousand people a call. How many came is counted, not who."""
    settings = {"segment_id": "7", "region": "us", **FAST}
    secrets = {"site_id": "5" * 20, "api_key": "6" * 20}
    with far_end() as url, requests.Session() as session:
        session.trust_env = False

        def arrived(who: str) -> bool:
            return bool(session.get(f"{url}/{who}", timeout=10).json()["there"])

        came = 0

        def told() -> int:
            nonlocal came
            came += int(seen(url)["changes"])
            return came

        yield FarEnd("api", "customerio", {"base_url": url, **settings}, secrets, arrived, told)


FAR_ENDS: dict[str, Callable[[Stage], AbstractContextManager[FarEnd]]] = {"table": table, "api": api}
KINDS = tuple(FAR_ENDS)
