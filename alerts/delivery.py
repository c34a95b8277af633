"""Messages leave: claimed one by one, handed to their channel outside of any transaction, tried again with backoff.

Any number of workers may do this: whoever changes the row sends it. A worker that dies while it sends leaves a claim
that runs out, and the message is sent again: at least once, and never by two at a time. One that only slept until its
claim had run out leaves the message to the other.
"""

from collections.abc import Callable

import structlog
from sqlalchemy import text

from alerts import channels
from alerts.channels import NotDelivered
from alerts.messages import Logged
from config.settings import Settings
from models.database import Database

log = structlog.get_logger()

Clock = Callable[[], int]

CLAIM = 120_000  # milliseconds; far longer than a channel may take
ATTEMPTS = 5
FIRST_WAIT = 30_000  # milliseconds; each further wait is four times the one before
LONGEST = FIRST_WAIT * 4 ** (ATTEMPTS - 1)  # more than the last wait
ROUND = 50  # messages that one round sends at most

# A recovery must not overtake the trouble that it ends: a subject's messages to a channel leave one after another.
# Nothing waits longer than LONGEST: what lies further ahead was noted before the clock was set back.
_FREE = "state = 'waiting' AND (claimed_until IS NULL OR claimed_until <= :now OR claimed_until > :beyond)"
_DUE = text(f"""
    SELECT a.id, a.channel FROM alert a
    WHERE {_FREE}
        AND (a.kind = 'test' OR NOT EXISTS (
            SELECT 1 FROM alert e WHERE e.state = 'waiting' AND e.subject = a.subject AND e.channel = a.channel
                AND e.id < a.id))
    ORDER BY a.id LIMIT :limit""")  # noqa: S608 - our own words
_CLAIM = text(f"""
    UPDATE alert SET claimed_until = :until, attempts = attempts + 1
    WHERE id = :id AND {_FREE}
    RETURNING id, at, subject, kind, title, message, link, channel, state, attempts, error, sent_at""")  # noqa: S608
_SENT = text("UPDATE alert SET state = 'sent', error = NULL, claimed_until = NULL, sent_at = :now WHERE id = :id")
# Where another worker has sent it meanwhile, it stays sent.
_AGAIN = text("UPDATE alert SET claimed_until = :until, error = :error WHERE id = :id AND state = 'waiting'")
_FAILED = text("""
    UPDATE alert SET state = 'failed', claimed_until = NULL, error = :error WHERE id = :id AND state = 'waiting'""")


def deliver_due(database: Database, settings: Settings, clock: Clock) -> int:
    """Send what is due; returns how many arrived. A channel that fails once is left alone for the rest of the round,
    so that one that hangs cannot hold up the others. Raises DatabaseUnavailable."""
    sent, broken = 0, set()
    now = clock()
    values = {"now": now, "beyond": now + LONGEST, "limit": ROUND}
    for alert_id, channel in database.read(lambda db: db.execute(_DUE, values).all(), one_statement=True):
        if channel in broken:
            continue
        claimed_at = clock()
        alert = _claim(database, alert_id, claimed_at)
        if alert is None or clock() >= claimed_at + CLAIM:
            continue
        if _send(database, settings, alert, clock):
            sent += 1
        else:
            broken.add(channel)
    return sent


def _claim(database: Database, alert_id: int, now: int) -> Logged | None:
    """The row, if it is ours now."""
    values = {"id": alert_id, "now": now, "beyond": now + LONGEST, "until": now + CLAIM}
    row = database.write(lambda db: db.execute(_CLAIM, values).mappings().one_or_none())
    return None if row is None else Logged(**row)


def _send(database: Database, settings: Settings, alert: Logged, clock: Clock) -> bool:
    try:
        _attempt(settings, alert, clock())
    except NotDelivered as error:
        _note_failure(database, alert, str(error), clock())
        return False
    database.write(lambda db: db.execute(_SENT, {"id": alert.id, "now": clock()}).rowcount)
    return True


def _attempt(settings: Settings, alert: Logged, now: int) -> None:
    if alert.attempts > ATTEMPTS:
        raise NotDelivered("the worker ended while it sent this")
    channels.deliver(settings, alert, now)


def _note_failure(database: Database, alert: Logged, error: str, now: int) -> None:
    """Wait longer each time, and give up after the last attempt."""
    log.warning("alert.not_delivered", alert=alert.id, channel=alert.channel, attempt=alert.attempts, cause=error)
    if alert.attempts >= ATTEMPTS:
        database.write(lambda db: db.execute(_FAILED, {"id": alert.id, "error": error}).rowcount)
        return
    until = now + FIRST_WAIT * 4 ** (alert.attempts - 1)
    database.write(lambda db: db.execute(_AGAIN, {"id": alert.id, "error": error, "until": until}).rowcount)
