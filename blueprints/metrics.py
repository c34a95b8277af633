"""Numbers for Prometheus. Counters count what the server's processes did since it started; the gauge reads the
database when asked.

Where there is more than one process, `flask serve` names a folder in PROMETHEUS_MULTIPROC_DIR. prometheus_client then
counts in files there, and whichever process is asked adds all of them up, also those of processes that died.
"""

from collections.abc import Iterator
from functools import cache

from flask import current_app
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import text

from backups import status as backup_status
from config import disk_room
from config.clock import SECOND
from config.version import VERSION
from destinations.subscriptions import STATES
from models.database import DatabaseUnavailable
from models.sessions import STATUSES
from runtime import current_runtime
from security import rate_limits
from sync.apply.receive import Receipt

REGISTRY = CollectorRegistry()
PAGES = Counter(
    "cohort_relay_pages", "Pages answered with success, by outcome.", ["action", "outcome"], registry=REGISTRY
)
MEMBERS = Counter("cohort_relay_members", "Members that pages named.", ["action"], registry=REGISTRY)
ENTERED = Counter("cohort_relay_entered", "Entries into cohorts.", registry=REGISTRY)
LEFT = Counter(
    "cohort_relay_left", "Exits from cohorts by pages; the worker's sweeps are in the log.", registry=REGISTRY
)
REJECTED = Counter("cohort_relay_rejected_members", "Members that could not be kept.", registry=REGISTRY)
REPLIES = Counter("cohort_relay_webhook_replies", "Replies to webhook calls, by status.", ["status"], registry=REGISTRY)
LATENCY = Histogram(
    "cohort_relay_page_seconds",
    "Time from the body's first byte to the commit of a page.",
    buckets=(0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10),
    registry=REGISTRY,
)

# Looking a labelled counter up costs more than counting with it.
_pages, _members, _replies = cache(PAGES.labels), cache(MEMBERS.labels), cache(REPLIES.labels)

_BY_STATUS = text("SELECT status, count(*) AS sessions FROM sync_session GROUP BY status")
_DESTINATIONS = text("SELECT status, count(*) AS destinations FROM destination GROUP BY status")
_MESSAGES = text(
    f"SELECT {', '.join(f'coalesce(sum({state}), 0) AS {state}' for state in STATES)} FROM subscription_counts"  # noqa: S608
)
_BEHIND = text("""
    SELECT coalesce(sum(c.change_count - s.position), 0) FROM subscription s JOIN cohort c ON c.id = s.cohort_id
    WHERE s.status IN ('active', 'paused')""")
DESTINATION_STATUSES = ("active", "paused", "draining")


class SessionsByStatus(Collector):
    """Sessions by state, as the database has them now; left out while it does not answer."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if not current_app:  # when the collector is registered
            return
        gauge = GaugeMetricFamily("cohort_relay_sessions", "Sync sessions by state.", labels=["status"])
        try:
            rows = current_runtime().database.read(lambda db: db.execute(_BY_STATUS).all())
        except DatabaseUnavailable:
            return
        counts = {row.status: row.sessions for row in rows}
        for status in STATUSES:
            gauge.add_metric([status], counts.get(status, 0))
        yield gauge


class ReplicaBehind(Collector):
    """How far a read replica is behind; left out where there is none, or it does not answer."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        replica = current_runtime().database.replica if current_app else None
        if replica is None:
            return
        replica.follows()
        if replica.behind is not None:
            said = "Seconds that the read replica is behind at most."
            yield GaugeMetricFamily("cohort_relay_replica_behind_seconds", said, value=replica.behind)


class Relaying(Collector):
    """Destinations and messages by state, as the database has them now; left out while it does not answer."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if not current_app:
            return
        places = GaugeMetricFamily("cohort_relay_destinations", "Destinations by state.", labels=["status"])
        messages = GaugeMetricFamily("cohort_relay_messages", "Messages to destinations by state.", labels=["state"])
        behind = GaugeMetricFamily("cohort_relay_changes_behind", "Changes that no messages are planned of yet.")
        try:
            destinations, counts, unplanned = current_runtime().database.read(
                lambda db: (db.execute(_DESTINATIONS).all(), db.execute(_MESSAGES).one(), db.execute(_BEHIND).scalar())
            )
        except DatabaseUnavailable:
            return
        by_status = {row.status: row.destinations for row in destinations}
        for status in DESTINATION_STATUSES:
            places.add_metric([status], by_status.get(status, 0))
        for state in STATES:
            messages.add_metric([state], getattr(counts, state))
        behind.add_metric([], unplanned or 0)
        yield from (places, messages, behind)


class Backups(Collector):
    """The last good backup and the last try, as the database has them now; left out where BACKUP_TO is not set."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if not current_app or not current_runtime().settings.backup_to:
            return
        runtime = current_runtime()
        try:
            found = runtime.database.read(
                lambda db: backup_status.read(db, runtime.settings, runtime.clock()), one_statement=True
            )
        except DatabaseUnavailable:
            return
        made = GaugeMetricFamily(
            "cohort_relay_backup_timestamp_seconds",
            "The moment that the last good backup holds, in seconds since 1970; 0 where there is none.",
            value=(found.verified_at or 0) / SECOND,
        )
        size = GaugeMetricFamily("cohort_relay_backup_bytes", "Size of the last good backup.", value=found.bytes or 0)
        trouble = GaugeMetricFamily(
            "cohort_relay_backup_trouble",
            "1 while the last try failed or the next backup is late, else 0.",
            value=int(found.state in {"failing", "quiet"}),
        )
        yield from (made, size, trouble)


class Disks(Collector):
    """The room of the disks that this process can see, by what is kept there."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if not current_app:
            return
        said = "Bytes free on the disk that is used so."
        free = GaugeMetricFamily("cohort_relay_disk_free_bytes", said, labels=["use"])
        size = GaugeMetricFamily("cohort_relay_disk_size_bytes", "Size of that disk.", labels=["use"])
        filling = GaugeMetricFamily("cohort_relay_disk_filling", "1 while it is nearly full, else 0.", labels=["use"])
        for disk in disk_room.disks(current_runtime().settings):
            for use in disk.uses:
                free.add_metric([use], disk.free)
                size.add_metric([use], disk.size)
                filling.add_metric([use], int(disk.is_filling))
        yield from (free, size, filling)


class LimitsShared(Collector):
    """Whether this process counts limits in Redis; left out where REDIS_URL is not set."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if current_app and current_runtime().settings.redis_url:
            words = "1 while rate limits are counted in Redis, 0 while in memory because Redis does not answer."
            yield GaugeMetricFamily("cohort_relay_limits_shared", words, value=int(rate_limits.are_as_set()))


class Build(Collector):
    """Which release answers."""

    def collect(self) -> Iterator[InfoMetricFamily]:
        yield InfoMetricFamily("cohort_relay_build", "The release that answers.", value={"version": VERSION})


REGISTRY.register(Build())
REGISTRY.register(SessionsByStatus())
REGISTRY.register(ReplicaBehind())
REGISTRY.register(Relaying())
REGISTRY.register(Backups())
REGISTRY.register(Disks())
REGISTRY.register(LimitsShared())


def of_all_processes() -> CollectorRegistry:
    """Add up what all processes of this server have counted, with what the database says now."""
    together = CollectorRegistry()
    try:
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    except ValueError:  # there is no folder: this process is the only one
        return REGISTRY
    together.register(Build())
    together.register(SessionsByStatus())
    together.register(ReplicaBehind())
    together.register(Relaying())
    together.register(Backups())
    together.register(Disks())
    return together


def count_page(action: str, receipt: Receipt, seconds: float) -> None:
    _pages(action, receipt.outcome).inc()
    LATENCY.observe(seconds)
    _members(action).inc(receipt.received)
    for counter, number in ((ENTERED, receipt.entered), (LEFT, receipt.left), (REJECTED, receipt.rejected)):
        if number:
            counter.inc(number)


def count_reply(status: int) -> None:
    _replies(str(status)).inc()
