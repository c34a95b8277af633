"""A round of alerts: look at every subject, tell what changed, deliver what waits."""

from collections.abc import Sequence

from sqlalchemy import Connection

from alerts import compose, messages, rules, stored_channels, subjects
from alerts.channels import configured
from alerts.delivery import Clock, deliver_due
from alerts.rules import Remembered, Step, Subject
from alerts.subjects import Addresses, ReadSubjects
from config.clock import DAY
from config.settings import Settings
from models.database import Database
from models.encryption import Encryption

KEPT = 90 * DAY


def tell(database: Database, settings: Settings, read_subjects: ReadSubjects, now: int) -> int:
    """Queue a message for each change that is news; returns how many changes were noted. Where nothing changed it only
    reads. Raises DatabaseUnavailable."""

    # What is known first: a look that is older than what another worker has noted would turn back the clock.
    def read(db: Connection) -> list[tuple[Subject, Remembered | None, Step]]:
        known = messages.known_subjects(db)
        seen = [(subject, known.get(subject.key)) for subject in read_subjects(db)]
        return [(subject, old, rules.step(old, subject.state, now)) for subject, old in seen]

    changed = [(subject, old, step) for subject, old, step in database.read(read) if step.known != old]
    changed.sort(key=lambda change: change[0].key)  # so that two workers never wait for each other
    if not changed:
        return 0
    return database.write(lambda db: sum(_note(db, settings, *change, now) for change in changed))


def _note(db: Connection, settings: Settings, subject: Subject, old: Remembered | None, step: Step, now: int) -> bool:
    noted = messages.remember(db, subject.key, old, step.known)
    if noted and step.tell is not None:
        message = compose.compose(step.tell, subject, step.known, settings.public_url)
        stored = [one.key for one in stored_channels.listed(db) if one.wants(step.tell, subject.key)]
        messages.queue(db, message, [*configured(settings), *stored], now)
    return noted


def send_test(
    database: Database, settings: Settings, who: str, now: int, channels: Sequence[str] | None = None
) -> None:
    """Queue a test message on these channels; without a word on every one that the environment configures. `who` asked
    for it. Raises DatabaseUnavailable."""
    message = compose.test_message(who, settings.public_url)
    wanted = configured(settings) if channels is None else channels
    database.write(lambda db: messages.queue(db, message, wanted, now))


def is_anybody_told(db: Connection, settings: Settings) -> bool:
    """Whether there is any channel."""
    return bool(configured(settings)) or bool(stored_channels.listed(db))


def run_once(
    database: Database,
    settings: Settings,
    clock: Clock,
    addresses: Addresses,
    cipher: Encryption | None = None,
    *,
    look: bool = True,
) -> int:
    """Run one round; without `look` only deliver what waits. Return how many messages arrived.

    Where no channel is configured nobody looks: who configures one later is told what is in trouble then. `addresses`
    are those of the pages that messages link to, `cipher` opens the channels that admins have added. Raises
    DatabaseUnavailable.
    """
    if look and database.read(lambda db: is_anybody_told(db, settings), one_statement=True):
        now = clock()
        tell(database, settings, subjects.read_subjects(addresses, settings, now), now)
    return deliver_due(database, settings, clock, cipher)


def prune(database: Database, now: int) -> int:
    """Remove messages past 90 days; returns how many went."""
    gone = 0
    while step := database.write(lambda db: messages.prune(db, now - KEPT)):
        gone += step
    return gone
