"""The subjects of alerts: every cohort, connection and destination, the backups and the disks of this machine, with
their states, as `alerts.rules` takes them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from alerts.rules import Subject
from backups import status as backup_status
from backups.status import BackupStatus
from config import disk_room
from config.disk_room import Disk
from config.settings import Settings
from destinations import destinations, subscriptions
from destinations.destinations import Destination
from sync.status import progress, remedies, text
from sync.status.cohort import SIMULATED, CohortStatus, LastFailure, cohort_statuses
from sync.status.connection import ConnectionStatus, connection_statuses

ReadSubjects = Callable[[Connection], Iterable[Subject]]

_LOOK = "Look in Mixpanel at Data, Destinations, the connection, then Syncs: is this sync paused or removed?"
_WHAT_TO_DO = {
    "quiet": _LOOK,
    "held": "See why it is held and who would leave, then decide.",
}


@dataclass(frozen=True)
class Addresses:
    """Paths of pages: of a cohort, its held refresh, a connection, a destination, and the overview, which shows backups
    and disks. They are the caller's, who knows its routes."""

    cohort: Callable[[int], str]
    held: Callable[[int], str]
    connection: Callable[[str], str]
    destination: Callable[[int], str]
    overview: str


def read_subjects(addresses: Addresses, settings: Settings, now: int) -> ReadSubjects:
    """Return a function that reads every subject as it is at `now`."""
    of_disks = [_disk(one, addresses) for one in disk_room.disks(settings)]

    def read(db: Connection) -> Iterator[Subject]:
        cohorts = [cohort for cohort in cohort_statuses(db, now) if not cohort.mixpanel_cohort_id.startswith(SIMULATED)]
        yield from (_cohort(cohort, addresses) for cohort in cohorts)
        connections = connection_statuses(db, now, cohorts).values()
        yield from (_connection(connection, addresses) for connection in connections)
        held = {one.destination_id for one in subscriptions.listed(db) if one.held}
        yield from (_destination(one, one.id in held, addresses) for one in destinations.listed(db))
        yield _backups(backup_status.read(db, settings, now), addresses)
        yield from of_disks

    return read


def _cohort(cohort: CohortStatus, addresses: Addresses) -> Subject:
    page = addresses.held(cohort.id) if cohort.state == "held" else addresses.cohort(cohort.id)
    cause, what_to_do = _told(cohort.state, f"{cohort.says}.", cohort.failure, cohort.rhythm.kind)
    return Subject(f"cohort {cohort.id}", f'Cohort "{cohort.name}"', cohort.state, cause, what_to_do, page)


def _connection(connection: ConnectionStatus, addresses: Addresses) -> Subject:
    """Return the connection by its own state; its cohorts are subjects of their own."""
    page = addresses.connection(connection.name)
    cause, what_to_do = _told(connection.own_state, f"{text.own_sentence(connection)}.", connection.failure)
    name, state = connection.name, connection.own_state
    return Subject(f"connection {name}", f"Connection {name}", state, cause, what_to_do, page)


def _destination(destination: Destination, is_held: bool, addresses: Addresses) -> Subject:
    """Return a destination: one that was paused by hand, or is on its way out, is nothing to tell of."""
    state, cause, what_to_do = "in_step", "", ""
    if destination.cause in subscriptions.FAILING:
        state, cause = "failing", f"Nothing is sent to it: {destination.reason or 'its calls fail.'} Nobody is lost."
        what_to_do = "Check its settings and secrets, then resume it."
    elif destination.status != "active":
        state = "off"
    elif is_held:
        state, cause = "held", "A subscription would remove more than its share from there, which waits for somebody."
        what_to_do = "See how many would be removed, then decide."
    page = addresses.destination(destination.id)
    return Subject(f"destination {destination.id}", f"Destination {destination.name}", state, cause, what_to_do, page)


def _backups(status: BackupStatus, addresses: Addresses) -> Subject:
    return Subject("backups", "Backups", status.state, status.says, status.what_to_do, addresses.overview)


def _disk(disk: Disk, addresses: Addresses) -> Subject:
    """Return a disk of this machine; the worker of another one sees its own."""
    key, name = f"disk {disk.machine} {disk.folder}", f"{disk.name[0].upper()}{disk.name[1:]} on {disk.machine}"
    cause = f"{disk.left} {disk.without_room}" if disk.is_filling else disk.left
    state = "filling" if disk.is_filling else "in_step"
    return Subject(key, name, state, cause, disk_room.WHAT_TO_DO, addresses.overview)


def _told(state: str, cause: str, failure: LastFailure | None, kind: str = "") -> tuple[str, str]:
    """Return what happened, and what to do about it. `kind` is that of a cohort's rhythm."""
    if state == "failing" and failure is not None:
        return f"{cause} {_why(failure)}", _mend(failure)
    if state == "stalled":
        again = progress.starts_over(kind)
        return cause, f"{again}." if kind == "one_time" else f"Nothing yet: {again}. If it does not: {_LOOK}"
    return cause, _WHAT_TO_DO.get(state, "")


def _why(failure: LastFailure) -> str:
    """What we answered: a failure's message is a plain sentence without member data."""
    return f"{remedies.title(failure.cause)}: {failure.message}"


def _mend(failure: LastFailure) -> str:
    next_step = remedies.after(failure.status, failure.cause)
    return " ".join([next_step.sentence, *(f"{step}." for step in next_step.steps)])
