"""What narrows an API token beside its scope: an end, one project, a network, no exports, calls a minute. A token
without any is as good as its scope says."""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from sqlalchemy import Connection, text

from config.clock import DAY

LONGEST_DAYS = 3650
MOST_CALLS = 100_000  # a minute

_PROJECT_SUBSCRIBED = text("""
    SELECT c.project_id FROM subscription s JOIN cohort c ON c.id = s.cohort_id WHERE s.id = :id""")
_PROJECT_OF = text("SELECT mixpanel_project_id FROM project WHERE name = :name")


class WrongBound(ValueError):
    """A bound that cannot be; `field` names it, the message says what would be right."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Bounds:
    """`expires_at` in milliseconds, `project_id` Mixpanel's, `network` as 192.0.2.0/24 or one address."""

    expires_at: int | None = None
    project_id: str | None = None
    network: str | None = None
    without_exports: bool | None = None
    calls_per_minute: int | None = None


def read(days: str, project_id: str, network: str, calls_per_minute: str = "", *, exports: bool, now: int) -> Bounds:
    """Bounds as people type them; what is empty narrows nothing. Raises WrongBound."""
    return Bounds(
        _end(days.strip(), now),
        _project(project_id.strip()),
        _network(network.strip()),
        not exports or None,
        _calls(calls_per_minute.strip()),
    )


def _end(days: str, now: int) -> int | None:
    if not days:
        return None
    found = _whole(days, LONGEST_DAYS)
    if found is None:
        raise WrongBound("days", f"Days are a whole number from 1 to {LONGEST_DAYS}; empty means that it has no end.")
    return now + found * DAY


def _calls(typed: str) -> int | None:
    found = _whole(typed, MOST_CALLS) if typed else None
    if typed and found is None:
        says = f"Calls a minute are a whole number from 1 to {MOST_CALLS:,}; empty means as many as any token may make."
        raise WrongBound("calls_per_minute", says)
    return found


def _whole(typed: str, most: int) -> int | None:
    """Return the number from 1 to `most` that was typed; None where it is none."""
    is_number = typed.isascii() and typed.isdigit() and len(typed) <= len(str(most))
    return int(typed) if is_number and 1 <= int(typed) <= most else None


def _project(project_id: str) -> str | None:
    if len(project_id) > 100 or not project_id.isprintable():  # noqa: PLR2004
        raise WrongBound("project_id", "This cannot be a project of Mixpanel's; empty means every project.")
    return project_id or None


def _network(network: str) -> str | None:
    try:
        return str(ip_network(network, strict=False)) if network else None
    except ValueError:
        raise WrongBound("network", "A network is like 192.0.2.0/24 or 2001:db8::/32, or is one address.") from None


def is_within(network: str | None, address: str) -> bool:
    """Tell whether this caller's address lies in the network; an IPv4 address may come written as an IPv6 one."""
    if network is None:
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found) in ip_network(network)


def project_named(db: Connection, name: str) -> str | None:
    """Return Mixpanel's id of the project that is called so here."""
    found: str | None = db.execute(_PROJECT_OF, {"name": name}).scalar_one_or_none()
    return found


def project_subscribed(db: Connection, subscription_id: int) -> str | None:
    """Return Mixpanel's id of the project whose cohort a subscription sends on."""
    found: str | None = db.execute(_PROJECT_SUBSCRIBED, {"id": subscription_id}).scalar_one_or_none()
    return found
