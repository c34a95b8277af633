"""The tables, and the one place that reads and writes them."""

from models.cohorts import Cohort, CohortLabel, Membership, MembershipChange
from models.connections import ApiToken, Connection, ConnectionPassword
from models.database import Database, DatabaseUnavailable, db
from models.failures import Failure
from models.people import Person
from models.sessions import SyncPage, SyncSession

__all__ = [
    "ApiToken",
    "Cohort",
    "CohortLabel",
    "Connection",
    "ConnectionPassword",
    "Database",
    "DatabaseUnavailable",
    "Failure",
    "Membership",
    "MembershipChange",
    "Person",
    "SyncPage",
    "SyncSession",
    "db",
]
