"""When a destination stops by itself, and when it is tried again.

Bad credentials and a set that is gone wait for a person at once. A destination that fails pauses after 20 failed calls
in a row over ten minutes, and is then tried with one message after 5, 10, 20, 40 minutes and every hour; the first call
that comes to something ends the pause.
"""

from sqlalchemy import Connection, text

from config.clock import MINUTE
from destinations.destinations import Destination

FAILURES = 20
OVER = 10 * MINUTE
FIRST_PROBE, LAST_PROBE = 5 * MINUTE, 60 * MINUTE
AGAIN = "It is tried again with one message from time to time."

_WELL = text("""
    UPDATE destination SET failures = 0, failing_since = NULL, succeeded_at = :now, probes = 0, probe_at = NULL,
        status = CASE WHEN cause = 'failing' THEN 'active' ELSE status END,
        reason = CASE WHEN cause IS NULL OR cause = 'failing' THEN NULL ELSE reason END,
        paused_at = CASE WHEN cause = 'failing' THEN NULL ELSE paused_at END,
        cause = CASE WHEN cause = 'failing' THEN NULL ELSE cause END
    WHERE id = :id""")
_FAILED = text("""
    UPDATE destination SET failures = failures + :failures, failing_since = coalesce(failing_since, :now),
        reason = CASE WHEN cause IS NULL OR cause = 'failing' THEN :reason ELSE reason END
    WHERE id = :id""")
_PAUSE = text("""
    UPDATE destination SET status = 'paused', cause = :cause, reason = :reason, paused_at = :now, probe_at = :probe_at,
        probes = 0
    WHERE id = :id AND (status = 'active' OR cause = 'failing')""")
_PROBE = text("UPDATE destination SET probes = probes + 1, probe_at = :probe_at WHERE id = :id")
_WAIT = text("UPDATE destination SET wait_until = :until WHERE id = :id AND coalesce(wait_until, 0) < :until")
_WELL_EVERY = MINUTE  # how often the time of the last success is written, where nothing else changes


def well(db: Connection, known: Destination, now: int) -> None:
    """A call came to something."""
    unchanged = known.failing_since is None and known.cause != "failing"
    if unchanged and known.succeeded_at is not None and 0 <= now - known.succeeded_at < _WELL_EVERY:
        return
    db.execute(_WELL, {"id": known.id, "now": now})


def failed(db: Connection, known: Destination, failures: int, told: str, now: int) -> None:
    """Calls came to nothing, so many of them, the last one for what is told."""
    reason = f"{told} {AGAIN}".strip() if known.cause == "failing" else told
    db.execute(_FAILED, {"id": known.id, "failures": failures, "reason": reason[:500] or None, "now": now})
    if known.cause == "failing":
        pause = min(FIRST_PROBE * 2 ** min(known.probes + 1, 10), LAST_PROBE)
        db.execute(_PROBE, {"id": known.id, "probe_at": now + pause})
    elif known.failures + failures >= FAILURES and now - (known.failing_since or now) >= OVER:
        stop(db, known, "failing", f"{told} {AGAIN}".strip(), now)


def stop(db: Connection, known: Destination, cause: str, reason: str, now: int) -> None:
    """Pause for a cause; one that was paused by hand, or is on its way out, stays as it is."""
    probe_at = now + FIRST_PROBE if cause == "failing" else None
    values = {"id": known.id, "cause": cause, "reason": reason[:500], "now": now, "probe_at": probe_at}
    db.execute(_PAUSE, values)


def wait(db: Connection, known: Destination, until: int) -> None:
    """Send nothing before a moment that the far end has asked for."""
    db.execute(_WAIT, {"id": known.id, "until": until})


def may_send(known: Destination, now: int) -> bool:
    """Tell whether calls may be made now; one that is probed may make one."""
    if known.wait_until is not None and now < known.wait_until:
        return False
    return known.status in {"active", "draining"} or is_probed(known, now)


def is_probed(known: Destination, now: int) -> bool:
    """Tell whether a destination that paused by itself is due to be tried."""
    return known.cause == "failing" and known.probe_at is not None and known.probe_at <= now
