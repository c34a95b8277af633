"""Simulated exports that operators ask for in the dashboard (F18): a small one, played through the real endpoint.

It is played as Mixpanel would: over HTTP, with a password of the connection that is made for it and retired after it.
The people are always the same, so that playing it again is a small change of the same cohort. Their rows
are security/simulation_jobs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import SystemRandom
from threading import Event, Timer
from typing import Any

import structlog
from sqlalchemy import Connection

from config.settings import Settings
from models.database import DatabaseUnavailable
from runtime import Runtime
from security import connections, simulation_jobs
from simulator import access, run
from simulator.comparison import Verdict, compare
from simulator.exports import Cohort, Page
from simulator.people import Population
from simulator.plan import PROJECT
from simulator.reader import CannotRead, Reader
from simulator.sender import GaveUp, Paused, Sender

log = structlog.get_logger()

NAME = "Simulated export"
DESCRIPTION = "Made by Cohort Relay to try the connection; nobody in it exists"
SEED = "simulated-export"
PEOPLE, PAGE_SIZE, ENTER, LEAVE = 250, 100, 20, 10

PATIENCE = 60  # seconds until the sending and the wait for a sweep give up, each
PACE = 0.1  # of Mixpanel's waits between retries

OURS = "Something went wrong on our side; the worker's log has the traceback."

Report = dict[str, Any]


class CannotPlay(Exception):
    """The export could not be played; says why in a plain sentence."""


@dataclass(frozen=True)
class Job:
    """An export that is ours, with the password that it was lent; None where the connection takes no calls."""

    id: int
    connection: str
    until: int
    password_id: int | None = None
    password: str = ""
    hindrance: str = ""


def play_due(runtime: Runtime, stop: Event) -> bool:
    """Play the oldest export that waits, or whose worker died; whether there was one. Raises DatabaseUnavailable."""
    now = runtime.clock()
    export_id = runtime.database.read(lambda db: simulation_jobs.due(db, now), one_statement=True)
    if export_id is None:
        return False
    job = runtime.database.write(lambda db: _take(db, runtime, export_id, now))
    if job is None:
        return False
    report = None
    try:
        report = _report(runtime, job, stop)
    finally:
        runtime.database.write(lambda db: _put_back(db, runtime, job, report))
    return True


def _take(db: Connection, runtime: Runtime, export_id: int, now: int) -> Job | None:
    """Claim it and lend it a password, in one transaction; what a dead worker was lent is retired."""
    claimed = simulation_jobs.claim(db, export_id, now)
    if claimed is None:
        return None
    if claimed.lent is not None:
        connections.retire_one(db, claimed.lent, now)
    job = Job(claimed.id, claimed.connection, claimed.until, hindrance=_hindrance(db, claimed.connection))
    if job.hindrance:
        return job
    password_id, password = connections.temporary(db, runtime.settings.secret_key, claimed.connection, now)
    simulation_jobs.lend(db, export_id, password_id)
    return Job(claimed.id, claimed.connection, claimed.until, password_id, password)


def _hindrance(db: Connection, name: str) -> str:
    known = {connection.name: connection.enabled for connection in connections.listed(db)}
    if name not in known:
        return f"There is no connection {name}."
    if not known[name]:
        return f"The connection {name} is switched off: every call gets 503. Switch it on, then try again."
    return ""


def _put_back(db: Connection, runtime: Runtime, job: Job, report: Report | None) -> None:
    """Retire the password, and keep the report; without one another worker plays it."""
    now = runtime.clock()
    if job.password_id is not None:
        connections.retire_one(db, job.password_id, now)
    if report is None:
        simulation_jobs.give_back(db, job.id, job.until)
    else:
        simulation_jobs.end(db, job.id, job.until, report, now)


def _report(runtime: Runtime, job: Job, stop: Event) -> Report | None:
    """Play it, and return what came of it; None where the worker was told to stop."""
    sent: list[dict[str, Any]] = []
    if job.hindrance:
        return _failed(sent, job.hindrance)
    try:
        verdict = _play(runtime, job, sent, stop)
    except CannotPlay as error:
        return None if stop.is_set() else _failed(sent, str(error))
    except DatabaseUnavailable:
        raise
    except Exception:
        log.exception("simulated_export.failed", export=job.id)
        return _failed(sent, OURS)
    return _compared(sent, verdict)


def _failed(sent: list[dict[str, Any]], sentence: str) -> Report:
    return {"passed": False, "sent": sent, "found": {}, "sentences": [sentence]}


def _compared(sent: list[dict[str, Any]], verdict: Verdict) -> Report:
    sentences = [
        f"{PEOPLE} members came in {len(sent) - 3} pages, out of order, and one page came twice.",
        f"Then {ENTER} entered and {LEAVE} left.",
    ]
    if verdict.exact:
        sentences.append(f"The cohort has exactly the {verdict.there} members that were sent, and its log agrees.")
    else:
        sentences.append("What the API says is not what was sent:")
        sentences += [f"{problem[0].upper()}{problem[1:]}." for problem in verdict.problems]
    return {"passed": verdict.exact, "sent": sent, "found": verdict.as_json(), "sentences": sentences}


def _play(runtime: Runtime, job: Job, sent: list[dict[str, Any]], stop: Event) -> Verdict:
    """Send everything, then compare; `sent` grows with every call. Raises CannotPlay."""
    url = address(runtime.settings)
    cohort = new_cohort(job.connection)
    late = Event()
    timer = Timer(PATIENCE, late.set)
    timer.start()
    try:
        sender = Sender(url, job.connection, job.password, SystemRandom(), time_scale=PACE, stop=late)
        for page, again in _pages(cohort, sender):
            if stop.is_set():
                raise CannotPlay("The worker was told to stop.")
            _send(sender, page)
            sent.append(_line(page, again=again))
        with access.passing_token(runtime) as token:
            return compare(Reader(url, token), cohort, PATIENCE)
    except CannotRead as error:
        raise CannotPlay(f"The API could not be read: {error}.") from error
    finally:
        timer.cancel()


def _send(sender: Sender, page: Page) -> None:
    what = f"page {page.number} of {page.total} of {page.export.action}"
    try:
        sender.send(page)
    except Paused as error:
        raise CannotPlay(f"The relay refused {what}, and Mixpanel would have paused the sync: {error}.") from error
    except GaveUp as error:
        raise CannotPlay(f"The relay did not take {what}, also not when it came again: {error}.") from error


def _pages(cohort: Cohort, sender: Sender) -> Iterator[tuple[Page, bool]]:
    """Yield the calls in their order, and whether the page came before. Advancing says that the page before arrived."""
    (whole,) = cohort.due(0, sender.new_id)
    first, *others = whole.pages(PAGE_SIZE)
    yield from ((page, False) for page in reversed(others))
    yield others[0], True
    yield first, False
    _arrived(cohort, [whole], 0)
    cohort.enter(range(PEOPLE, PEOPLE + ENTER))
    cohort.leave(range(LEAVE))
    diffs = cohort.due(30, sender.new_id)
    yield from ((page, False) for diff in diffs for page in diff.pages(PAGE_SIZE))
    _arrived(cohort, diffs, 30)


def _arrived(cohort: Cohort, exports: list[Any], minute: int) -> None:
    cohort.delivered |= {(export.session_id, export.action): len(export) for export in exports}
    cohort.succeeded(minute)


def _line(page: Page, *, again: bool) -> dict[str, Any]:
    known = {"action": page.export.action, "page": page.number, "pages": page.total, "members": len(page)}
    return known | {"again": again}


def new_cohort(connection: str) -> Cohort:
    """Return Mixpanel's side of the connection's simulated cohort, which no other connection has."""
    people = Population(SEED, PEOPLE + ENTER)
    return Cohort(PROJECT, f"simulated-{connection}", NAME, DESCRIPTION, people, set(range(PEOPLE)))


def address(settings: Settings) -> str:
    """Return where the app answers: at its public address, or at least on this machine. Raises CannotPlay."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - "every address"
    local = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    for url in dict.fromkeys((settings.public_url, local)):
        try:
            run.await_server(url, 0)
        except run.NobodyThere:
            continue
        return str(url)
    raise CannotPlay(f"No server answers at {settings.public_url}. Start it, or correct PUBLIC_URL.")
