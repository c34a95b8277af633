"""What has become of exports, of the connections that they come by, and of calls that were refused."""

from sqlalchemy import Row, func, select, text

from commands.doctor.check import Check, many, ok, warn
from config.clock import DAY, HOUR, MINUTE, utc
from models.sessions import IS_UNFINISHED, SyncSession
from runtime import Runtime
from security import connections
from sync.rules import Rules
from sync.status import remedies

GRACE = MINUTE  # what the worker should have done this long ago, it has not done
QUIET = 2 * HOUR  # a recurring sync calls every 30 minutes
SHOWN_FAILURES = 5
ADD_CONNECTION = "Make one: flask connections add NAME"
_WAITING = text("""
    SELECT count(*) AS sessions FROM sync_session
    WHERE (status = 'settling' AND settles_at < :overdue)
        OR (status = 'sweeping' AND last_page_at < :overdue AND coalesce(claimed_until, 0) < :now)
        OR (status = 'receiving' AND last_page_at < :unmarked)""")
_FAILURES = text("""
    SELECT last_at, count AS times, status, cause, connection, cohort_id, message FROM failure
    WHERE last_at >= :since ORDER BY last_at DESC, id DESC LIMIT :shown""")


def worker(runtime: Runtime) -> list[Check]:
    """Check whether a worker runs. It leaves no sign of life, so that only work left undone tells of its absence."""
    now = runtime.clock()
    unmarked = now - Rules.of(runtime.settings).stalled - GRACE
    values = {"now": now, "overdue": now - GRACE, "unmarked": unmarked}
    waiting = runtime.database.read(lambda db: int(db.execute(_WAITING, values).scalar_one()))
    if waiting:
        step = "Start a worker: flask serve has one, flask work is one"
        return [warn("worker", f"{many(waiting, 'export')} should have been seen to over a minute ago", step)]
    return [ok("worker", "nothing waits for it (whether one runs cannot be seen from here)")]


def exports(runtime: Runtime) -> list[Check]:
    stalled, held = (_unfinished(runtime, status) for status in ("stalled", "held"))
    found = []
    if stalled:
        step = "Nobody has left by them, and Mixpanel starts over at its next cycle; the failures below may say why"
        found.append(warn("exports", f"{many(stalled, 'export')} stopped half way", step))
    if held:
        step = "They would remove too much, or could not be read: everyone stays until you decide, in the dashboard"
        found.append(warn("exports", f"{many(held, 'export')} held until somebody decides", step))
    return found or [ok("exports", "none has stopped half way")]


def _unfinished(runtime: Runtime, status: str) -> int:
    found = select(func.count()).select_from(SyncSession).where(text(IS_UNFINISHED), SyncSession.status == status)
    return runtime.database.read(lambda db: db.execute(found).scalar_one())


def all_connections(runtime: Runtime) -> list[Check]:
    found = runtime.database.read(connections.listed)
    if not found:
        return [warn("connections", "there is none, so that Mixpanel cannot call", ADD_CONNECTION)]
    return [connection(item, runtime.clock()) for item in found]


def connection(listed: connections.Listed, now: int) -> Check:
    """Check one connection: on or off, its live passwords and the last call, which is known to the minute."""
    name = f"connection {listed.name}"
    used = max((at for _, _, at in listed.passwords if at), default=None)
    found = f"{many(len(listed.passwords), 'live password')}, last call {utc(used)}"
    if not listed.enabled:
        return warn(name, f"switched off; {found}", f"Mixpanel gets 503 until: flask connections enable {listed.name}")
    if used is None:
        return warn(name, found, "Put its URL, username and password into Mixpanel: Data, Destinations, Webhook")
    if now - used > QUIET:
        step = (
            "A recurring sync calls every 30 minutes: look in Mixpanel at Data, Destinations (not for one-time exports)"
        )
        return warn(name, found, step)
    return ok(name, found)


def failures(runtime: Runtime) -> list[Check]:
    """Return the newest refusals of the last day."""
    values = {"since": runtime.clock() - DAY, "shown": SHOWN_FAILURES}
    found = runtime.database.read(lambda db: db.execute(_FAILURES, values).all())
    return [failure(row) for row in found] or [ok("failures", "none in the last 24 hours")]


def failure(row: Row[tuple[object, ...]]) -> Check:
    whose = " ".join(filter(None, (row.connection, row.cohort_id and f"cohort {row.cohort_id}")))
    times = "" if row.times == 1 else f" {row.times} times"
    found = f"{row.status} {row.cause}{times}, last {utc(row.last_at)}{', ' if whose else ''}{whose}: {row.message}"
    following = remedies.after(row.status, row.cause)
    return warn("failure", found, ". ".join([following.headline, *following.steps]))
