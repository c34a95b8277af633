"""Messages leave: claimed one by one, handed to their channel outside of any transaction, tried again with backoff.

Any number of workers may do this: whoever changes the row sends it. A worker that dies while it sends leaves a claim
that runs out, and the message is sent again: at least once, and never by two at a time. One that only slept until its
claim had run out leaves the message to the other.
"""

from collections.abc import Callable
from dataclasses import fields

import structlog
from sqlalchemy import text

from alerts import channels, stored_channels
from alerts.calls import NotDelivered
from alerts.channels import Way
from alerts.messages import Logged
from config.clock import MINUTE, SECOND
from config.settings import Settings
from models.claims import Claim, Claims, Lease
from models.database import Database
from models.encryption import Encryption

log = structlog.get_logger()

Clock = Callable[[], int]

CLAIM = 2 * MINUTE  # far longer than a channel may take
ATTEMPTS = 5
FIRST_WAIT = 30 * SECOND  # each further wait is four times the one before
LEASE = Lease(CLAIM, furthest=FIRST_WAIT * 4 ** (ATTEMPTS - 1))  # more than the last wait
ROUND = 50  # messages that one round sends at most

_CLAIMS = Claims(
    "alert",
    "state = 'waiting'",
    sets="attempts = attempts + 1",
    returning=", ".join(field.name for field in fields(Logged)),
)
# A recovery must not overtake the trouble that it ends: a subject's messages to a channel leave one after another.
_DUE = text(f"""
    SELECT a.id, a.channel FROM alert a
    WHERE {_CLAIMS.free}
        AND (a.kind = 'test' OR NOT EXISTS (
            SELECT 1 FROM alert e WHERE e.state = 'waiting' AND e.subject = a.subject AND e.channel = a.channel
                AND e.id < a.id))
    ORDER BY a.id LIMIT :limit""")  # noqa: S608 - our own words
# Without the claim: what has arrived has arrived, also where another worker is about to send it again.
_SENT = text("UPDATE alert SET state = 'sent', error = NULL, claimed_until = NULL, sent_at = :now WHERE id = :id")
_AGAIN = text(_CLAIMS.update("claimed_until = :until, error = :error"))
_FAILED = text(_CLAIMS.update("state = 'failed', claimed_until = NULL, error = :error"))


def deliver_due(database: Database, settings: Settings, clock: Clock, cipher: Encryption | None = None) -> int:
    """Send what is due; returns how many arrived. A channel that fails once is left alone for the rest of the round,
    so that one that hangs cannot hold up the others. `cipher` opens the channels that admins have added. Raises
    DatabaseUnavailable."""
    sent, broken = 0, set()
    now = clock()
    values = {**LEASE.at(now), "limit": ROUND}
    for alert_id, channel in database.read(lambda db: db.execute(_DUE, values).all(), one_statement=True):
        if channel in broken:
            continue
        claimed_at = clock()
        claim = Claim(alert_id, claimed_at + CLAIM)
        alert = _claim(database, alert_id, claimed_at)
        if alert is None or clock() >= claim.until:
            continue
        if _send(database, _way(database, settings, cipher, channel, claimed_at), claim, alert, clock):
            sent += 1
        else:
            broken.add(channel)
    return sent


def _claim(database: Database, alert_id: int, now: int) -> Logged | None:
    """Claim a message; None where another worker has it, or it is sent."""
    row = database.write(lambda db: _CLAIMS.claim(db, alert_id, LEASE, now))
    return None if row is None else Logged(**row._asdict())


def _way(database: Database, settings: Settings, cipher: Encryption | None, channel: str, now: int) -> Way | None:
    """Return how a channel is reached; None where it is not there any more, or cannot be opened."""
    of_settings = channels.of_settings(settings).get(channel)
    if of_settings is not None or cipher is None:
        return of_settings
    stored = database.read(lambda db: stored_channels.of_key(db, channel), one_statement=True)
    return None if stored is None else stored.way(settings, cipher, now)


def _send(database: Database, way: Way | None, claim: Claim, alert: Logged, clock: Clock) -> bool:
    try:
        _attempt(way, alert, clock())
    except NotDelivered as error:
        _note_failure(database, claim, alert, str(error), clock())
        return False
    database.write(lambda db: db.execute(_SENT, {"id": alert.id, "now": clock()}).rowcount)
    return True


def _attempt(way: Way | None, alert: Logged, now: int) -> None:
    if alert.attempts > ATTEMPTS:
        raise NotDelivered("the worker ended while it sent this")
    channels.deliver(way, alert, now)


def _note_failure(database: Database, claim: Claim, alert: Logged, error: str, now: int) -> None:
    """Wait longer each time, and give up after the last attempt. Where another worker has the message by now, the
    failure is that worker's to note."""
    log.warning("alert.not_delivered", alert=alert.id, channel=alert.channel, attempt=alert.attempts, cause=error)
    if alert.attempts >= ATTEMPTS:
        database.write(lambda db: db.execute(_FAILED, {**claim.values, "error": error}).rowcount)
        return
    until = now + FIRST_WAIT * 4 ** (alert.attempts - 1)
    database.write(lambda db: db.execute(_AGAIN, {**claim.values, "error": error, "until": until}).rowcount)
