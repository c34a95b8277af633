"""The tables, and the one place that reads and writes them."""

from models.alerts import Alert, AlertState
from models.cohorts import Cohort, CohortLabel, Membership, MembershipChange
from models.connections import ApiToken, Connection, ConnectionPassword
from models.database import Database, DatabaseUnavailable, db
from models.erasures import Erasure
from models.failures import Failure
from models.handover import Handover
from models.keys import SecretKeyCheck
from models.operators import AuditEntry, Operator, SignIn, SimulatedExport
from models.outbound import (
    BudgetCall,
    Comparison,
    Delivery,
    Download,
    Import,
    ImportFailure,
    Landing,
    NamedCall,
    Project,
)
from models.people import Person
from models.sessions import SyncPage, SyncSession

__all__ = [
    "Alert",
    "AlertState",
    "ApiToken",
    "AuditEntry",
    "BudgetCall",
    "Cohort",
    "CohortLabel",
    "Comparison",
    "Connection",
    "ConnectionPassword",
    "Database",
    "DatabaseUnavailable",
    "Delivery",
    "Download",
    "Erasure",
    "Failure",
    "Handover",
    "Import",
    "ImportFailure",
    "Landing",
    "Membership",
    "MembershipChange",
    "NamedCall",
    "Operator",
    "Person",
    "Project",
    "SecretKeyCheck",
    "SignIn",
    "SimulatedExport",
    "SyncPage",
    "SyncSession",
    "db",
]
