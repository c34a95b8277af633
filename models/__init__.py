"""The tables, and the one place that reads and writes them."""

from models.alerts import Alert, AlertChannel, AlertState
from models.backups import BackupSchedule
from models.cohorts import Cohort, CohortLabel, Membership, MembershipChange
from models.connections import ApiToken, Connection, ConnectionPassword
from models.database import Database, DatabaseUnavailable, db
from models.destinations import (
    Attempt,
    Destination,
    Holder,
    Message,
    Placement,
    Subscription,
    SubscriptionCounts,
)
from models.erasures import Erasure
from models.failures import Failure, RefusedRequest
from models.handover import Handover
from models.keys import SecretKeyCheck
from models.minimisations import Minimisation
from models.one_time_links import OneTimeLink
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
from models.saved_requests import SavedRequest, SavedRun
from models.second_factors import Authenticator, Passkey, RecoveryCode
from models.sessions import SyncPage, SyncSession

__all__ = [
    "Alert",
    "AlertChannel",
    "AlertState",
    "ApiToken",
    "Attempt",
    "AuditEntry",
    "Authenticator",
    "BackupSchedule",
    "BudgetCall",
    "Cohort",
    "CohortLabel",
    "Comparison",
    "Connection",
    "ConnectionPassword",
    "Database",
    "DatabaseUnavailable",
    "Delivery",
    "Destination",
    "Download",
    "Erasure",
    "Failure",
    "Handover",
    "Holder",
    "Import",
    "ImportFailure",
    "Landing",
    "Membership",
    "MembershipChange",
    "Message",
    "Minimisation",
    "NamedCall",
    "OneTimeLink",
    "Operator",
    "Passkey",
    "Person",
    "Placement",
    "Project",
    "RecoveryCode",
    "RefusedRequest",
    "SavedRequest",
    "SavedRun",
    "SecretKeyCheck",
    "SignIn",
    "SimulatedExport",
    "Subscription",
    "SubscriptionCounts",
    "SyncPage",
    "SyncSession",
    "db",
]
