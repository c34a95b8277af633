"""What narrows an API token beside its scope: an end, one project, a network, no exports. A token without any is as
good as its scope says."""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from sqlalchemy import Connection, text

from config.clock import DAY

LONGEST_DAYS = 3650

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


def read(days: str, project_id: str, network: str, *, exports: bool, now: int) -> Bounds:
    """Bounds as people type them; what is empty narrows nothing. Raises WrongBound."""
    return Bounds(_end(days.strip(), now), _project(project_id.strip()), _network(network.strip()), not exports or None)


def _end(days: str, now: int) -> int | None:
    if not days:
        return None
    if not (days.isascii() and days.isdigit() and 1 <= int(days[:5]) <= LONGEST_DAYS and len(days) <= len("3650")):
        raise WrongBound("days", f"Days are a whole number from 1 to {LONGEST_DAYS}; empty means that it has no end.")
    return now + int(days) * DAY


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
