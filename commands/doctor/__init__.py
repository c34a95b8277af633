"""`flask doctor`: what an operator would look at first, each with the next step. It reads and changes nothing."""

import difflib
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from ipaddress import ip_address
from urllib.parse import urlsplit

import click
from flask.cli import with_appcontext
from sqlalchemy import Connection, Row, func, select, text

from commands.doctor import rights
from commands.doctor.check import Check, fail, ok, warn
from commands.exit_codes import DONE, NOT_ALL
from config import instance_files
from config.clock import DAY, HOUR, MINUTE, utc
from config.database_url import sqlite_file, where
from config.settings import SETTINGS, Settings, settings_shown
from models.database import Database, DatabaseUnavailable
from models.maintenance.close_for_writes import SENTENCE, is_closed
from models.maintenance.schema import is_new_enough, newest_revision, stored_revision
from models.sessions import IS_UNFINISHED, SyncSession
from outbound import projects
from runtime import Runtime, current_runtime
from security import connections, key_check
from security.encryption import Cipher
from security.rate_limit_storage import redis_options
from sync.rules import Rules
from sync.status import remedies

OLDEST_SQLITE = (3, 35, 0)  # RETURNING
OLDEST_POSTGRESQL = 120000  # MATERIALIZED in WITH
SECONDS_FOR_REDIS = 2
GRACE = MINUTE  # what the worker should have done this long ago, it has not done
QUIET = 2 * HOUR  # a recurring sync calls every 30 minutes
SHOWN_FAILURES = 5

ADD_CONNECTION = "Make one: flask connections add NAME"
REACHABLE = "Set PUBLIC_URL to the https:// address under which Mixpanel can reach this app"

_WAITING = text("""
    SELECT count(*) AS sessions FROM sync_session
    WHERE (status = 'settling' AND settles_at < :overdue)
        OR (status = 'sweeping' AND last_page_at < :overdue AND coalesce(claimed_until, 0) < :now)
        OR (status = 'receiving' AND last_page_at < :unmarked)""")
_FAILURES = text("""
    SELECT last_at, count AS times, status, cause, connection, cohort_id, message FROM failure
    WHERE last_at >= :since ORDER BY last_at DESC, id DESC LIMIT :shown""")


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def command(*, as_json: bool) -> None:
    """Check settings, database, Redis, connections and failures; ends with 4 where something fails."""
    runtime = current_runtime()
    checks = list(examine(runtime))
    failed = any(check.state == "fail" for check in checks)
    shown = settings_shown(runtime.settings)
    if as_json:
        report = {"ok": not failed, "checks": [asdict(check) for check in checks], "settings": shown}
        click.echo(json.dumps(report))
    else:
        _print(checks, shown)
    raise SystemExit(NOT_ALL if failed else DONE)


def _print(checks: list[Check], shown: list[dict[str, str]]) -> None:
    for check in checks:
        click.echo(f"{check.state:<5} {check.name}: {check.found}")
        if check.next_step:
            click.echo(f"      {check.next_step}")
    click.echo("\nSettings")
    for setting in shown:
        click.echo(f"  {setting['name']:<22} {setting['value'] or '-'}  ({setting['origin']})")


def examine(runtime: Runtime) -> Iterator[Check]:
    """All checks, in the order in which an operator would mend them."""
    yield settings_file(runtime.settings)
    yield instance_folder(runtime.settings)
    yield rights.of_others(runtime.settings)
    yield public_url(runtime.settings)
    yield rate_limits(runtime.settings)
    reachable = database(runtime.settings, runtime.database)
    yield reachable
    if reachable.state == "ok":
        yield from _stored(runtime)


def settings_file(settings: Settings) -> Check:
    """Whether `.env` names only settings that exist; a wrong value already stopped the start."""
    unknown = sorted(instance_files.stored(settings.instance / ".env").keys() - settings.origins.keys())
    if not unknown:
        chosen = sum(origin != "default" for origin in settings.origins.values())
        return ok("settings", f"{chosen} chosen, {len(SETTINGS) - chosen} by default")
    close = difflib.get_close_matches(unknown[0], settings.origins, 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return warn("settings", f".env names {', '.join(unknown)}, which is no setting{hint}", "See docs/settings.md")


def instance_folder(settings: Settings) -> Check:
    try:
        with tempfile.TemporaryFile(dir=settings.instance):
            return ok("instance folder", f"{settings.instance} can be written")
    except OSError as error:
        step = "Give the app's user write access to it, or set INSTANCE_PATH"
        return fail("instance folder", f"{settings.instance} cannot be written: {instance_files.why(error)}", step)


def public_url(settings: Settings) -> Check:
    """Mixpanel must reach us from the internet, over https, because it sends a password with every call."""
    name, address = "public address", urlsplit(settings.public_url)
    if is_loopback(address.hostname or ""):
        return warn(name, f"{settings.public_url} is reached from this machine alone", REACHABLE)
    if address.scheme != "https":
        return warn(name, f"{settings.public_url} sends passwords and members in the open", REACHABLE)
    if not settings.trusted_proxies:
        step = "Set TRUSTED_PROXIES to the number of proxies in front, so that limits count the callers' own addresses"
        return warn(name, f"{settings.public_url} needs a proxy for https, and TRUSTED_PROXIES is 0", step)
    return ok(name, settings.public_url)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`; 0.0.0.0 and :: mean "every address", which is none to call."""
    try:
        return ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def rate_limits(settings: Settings) -> Check:
    if not settings.redis_url and settings.processes > 1:
        found = f"each of {settings.processes} processes counts for itself, so that callers may call as often at each"
        return warn("rate limits", found, "Set REDIS_URL, so that they count together")
    if not settings.redis_url:
        return ok("rate limits", "counted in memory, by each process for itself")
    import redis  # noqa: PLC0415 - a fifth of a second that no other command should pay

    try:
        wait = {"socket_connect_timeout": SECONDS_FOR_REDIS, "socket_timeout": SECONDS_FOR_REDIS}
        redis.Redis.from_url(settings.redis_url, **redis_options() | wait).ping()
    except (redis.RedisError, ValueError) as error:
        found = f"Redis does not answer ({type(error).__name__}); each process counts in memory until it does"
        return warn("rate limits", found, "Start Redis, or correct REDIS_URL")
    return ok("rate limits", "counted in Redis")


def database(settings: Settings, stored: Database) -> Check:
    """Whether the database can be reached and written, and is new enough."""
    url = settings.database_url
    found = str(sqlite_file(url)) if settings.on_sqlite else where(url)
    try:
        version, too_old = stored.write(_sqlite_version if settings.on_sqlite else _postgresql_version)
    except DatabaseUnavailable as error:
        step = "Start it, free its disk, or mend DATABASE_URL"
        return fail("database", f"{found} cannot be written: {error.told}", step)
    if stored.read(is_closed):
        step = "Set DATABASE_URL to PostgreSQL's address, or go back with flask migrate-data --reopen"
        return fail("database", f"{found} is {SENTENCE}", step)
    if too_old:
        return fail("database", f"{version} is too old", "SQLite 3.35 or PostgreSQL 12 is the oldest that works")
    through = ", through a pooler" if stored.is_pooled else ""
    return ok("database", f"{version}, {found}{through}")


def _sqlite_version(_db: Connection) -> tuple[str, bool]:
    return f"SQLite {sqlite3.sqlite_version}", sqlite3.sqlite_version_info < OLDEST_SQLITE


def _postgresql_version(db: Connection) -> tuple[str, bool]:
    number = int(db.execute(text("SHOW server_version_num")).scalar_one())
    return f"PostgreSQL {number // 10000}.{number % 10000}", number < OLDEST_POSTGRESQL


def _stored(runtime: Runtime) -> Iterator[Check]:
    """What the tables say, if they are there; a database that goes away meanwhile ends it."""
    parts: tuple[Callable[[Runtime], list[Check]], ...] = (worker, exports, all_connections, failures)
    try:
        tables = revision(runtime.database)
        yield tables
        if tables.state != "fail":
            yield secret_key(runtime)
        for part in parts if tables.state != "fail" else ():
            yield from part(runtime)
    except DatabaseUnavailable as error:
        yield fail("database", f"went away: {error.told}", "Run flask doctor again")


def secret_key(runtime: Runtime) -> Check:
    """Whether SECRET_KEY is the one that the database was filled with."""
    found = runtime.database.read(lambda db: key_check.is_right(db, runtime.settings.secret_key))
    if found is False:
        runtime.settings.forget_made_key()
        what, _, step = key_check.sentence(runtime).partition(" Put the earlier key back: ")
        return fail("secret key", what, f"Put the earlier key back: {step}")
    if lost := runtime.database.read(lambda db: projects.undecryptable(db, Cipher(runtime.settings.secret_key))):
        found_so = f"credentials of {_many(len(lost), 'project')} cannot be opened with it: {', '.join(lost[:5])}"
        return fail("secret key", found_so, f"Give them again: flask projects change {lost[0]}")
    return ok("secret key", "the database's own" if found else "the database has none yet, and takes this one at start")


def revision(stored: Database) -> Check:
    found, wanted = stored.read(stored_revision), newest_revision()
    if not is_new_enough(found):
        return fail("tables", f"at revision {found or 'none'}, wanted {wanted}", "Run flask db upgrade")
    if found != wanted:
        step = "Restart the relay on the new version; a worker or server of this one may go on until then"
        return warn("tables", f"at revision {found}, newer than this version's {wanted}", step)
    return ok("tables", f"at revision {found}")


def worker(runtime: Runtime) -> list[Check]:
    """A worker leaves no sign of life, so that only work left undone tells of its absence."""
    now = runtime.clock()
    unmarked = now - Rules.of(runtime.settings).stalled - GRACE
    values = {"now": now, "overdue": now - GRACE, "unmarked": unmarked}
    waiting = runtime.database.read(lambda db: int(db.execute(_WAITING, values).scalar_one()))
    if waiting:
        step = "Start a worker: flask serve has one, flask work is one"
        return [warn("worker", f"{_many(waiting, 'export')} should have been seen to over a minute ago", step)]
    return [ok("worker", "nothing waits for it (whether one runs cannot be seen from here)")]


def exports(runtime: Runtime) -> list[Check]:
    stalled, held = (_unfinished(runtime, status) for status in ("stalled", "held"))
    found = []
    if stalled:
        step = "Nobody has left by them, and Mixpanel starts over at its next cycle; the failures below may say why"
        found.append(warn("exports", f"{_many(stalled, 'export')} stopped half way", step))
    if held:
        step = "They would remove too much, or could not be read: everyone stays until you decide, in the dashboard"
        found.append(warn("exports", f"{_many(held, 'export')} held until somebody decides", step))
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
    """One connection: on or off, its live passwords and the last call, which is known to the minute."""
    name = f"connection {listed.name}"
    used = max((at for _, _, at in listed.passwords if at), default=None)
    found = f"{_many(len(listed.passwords), 'live password')}, last call {utc(used)}"
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
    """The newest refusals of the last day."""
    values = {"since": runtime.clock() - DAY, "shown": SHOWN_FAILURES}
    found = runtime.database.read(lambda db: db.execute(_FAILURES, values).all())
    return [failure(row) for row in found] or [ok("failures", "none in the last 24 hours")]


def failure(row: Row[tuple[object, ...]]) -> Check:
    whose = " ".join(filter(None, (row.connection, row.cohort_id and f"cohort {row.cohort_id}")))
    times = "" if row.times == 1 else f" {row.times} times"
    found = f"{row.status} {row.cause}{times}, last {utc(row.last_at)}{', ' if whose else ''}{whose}: {row.message}"
    following = remedies.after(row.status, row.cause)
    return warn("failure", found, ". ".join([following.headline, *following.steps]))


def _many(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
