"""What the tests let the rules see."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

import alerts
from alerts.delivery import deliver_due
from alerts.rules import Subject
from alerts.subjects import ReadSubjects
from tests.relay import Relay


def subject_in(state: str, subject: str = "cohort 12", name: str = 'Cohort "Paying users"') -> Subject:
    return Subject(subject, name, state, "Mixpanel got 3 refusals in a row.", "See the failure.", "/cohorts/12")


def look(*subjects: Subject) -> ReadSubjects:
    def read(_db: Connection) -> Iterator[Subject]:
        return iter(subjects)

    return read


def see(relay: Relay, *states: str, gap: int = 0, **more: str) -> None:
    """The subject is seen in one state after another."""
    for state in states:
        relay.clock.forward(gap)
        runtime = relay.app.extensions["runtime"]
        alerts.tell(relay.database, runtime.settings, look(subject_in(state, **more)), relay.clock())


def deliver(relay: Relay) -> int:
    """One round of the worker's deliveries; how many messages arrived."""
    runtime = relay.app.extensions["runtime"]
    return deliver_due(relay.database, runtime.settings, relay.clock, runtime.cipher)


def log(relay: Relay) -> list[Any]:
    """The log, oldest first."""
    return relay.database.read(alerts.log)[::-1]


def kinds(relay: Relay) -> list[str]:
    return [row.kind for row in log(relay)]
