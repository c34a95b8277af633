"""Every column of every table that can hold a text about a person, and what is written there instead.

A test holds that each column of text is either here or among `NOBODY`, so that a new one is not forgotten.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from erasure.matcher import Mentions

GONE = "Erased with the person whom it named."

Rewrite = Callable[[str, Mentions], str]


@dataclass(frozen=True, eq=False)
class PiiColumns:
    """Rows of a table that may mention someone. `looks` are the columns that are searched; a row that mentions them is
    deleted where `blanks` is empty, else each column of `blanks` gets its value (a function makes it from the old one).
    `of_project` is a condition that leaves out what is about other Mixpanel projects; `kind` names it in counts."""

    kind: str
    table: str
    key: tuple[str, ...]
    looks: tuple[str, ...]
    blanks: dict[str, Any] = field(default_factory=dict)
    of_project: str = "TRUE"


def without_values(kept: str, mentions: Mentions) -> str:
    """Rejected members keep their reasons; who is mentioned loses the value."""
    return json.dumps(
        [member | {"value": ""} if mentions.within(member["value"]) else member for member in json.loads(kept)]
    )


def without_ids(report: str, mentions: Mentions) -> str:
    """Return the report with its counts, and without the person in its lists of ids."""
    found = json.loads(report)
    for side in ("missing_ids", "extra_ids"):
        found[side] = [identifier for identifier in found.get(side, []) if not mentions.within(json.dumps(identifier))]
    kept = json.dumps(found)
    return json.dumps({"summary": {"message": GONE}}) if mentions.within(kept) else kept


_OURS = "{0}.project NOT IN (SELECT name FROM project WHERE mixpanel_project_id <> :project_id)"
_JOBS = f"SELECT j.id FROM import_job j WHERE {_OURS.format('j')}"  # noqa: S608 - our own words
_CALLS = f"SELECT d.id FROM delivery d WHERE {_OURS.format('d')}"  # noqa: S608

PII_COLUMNS = (
    # First: the list of sessions with rejected members is short, that of all pages is not.
    PiiColumns(
        "rejected_members",
        "sync_page",
        ("session_id", "page"),
        ("rejected_members",),
        {"rejected_members": without_values},
        """x.rejected > 0 AND x.session_id IN (SELECT s.id FROM sync_session s JOIN cohort c ON c.id = s.cohort_id
            WHERE s.rejected > 0 AND c.project_id = :project_id)""",
    ),
    PiiColumns(
        "landings",
        "landing",
        ("id",),
        ("event", "distinct_id", "insert_id", "cause"),
        {},
        f"x.delivery_id IN ({_CALLS})",
    ),
    PiiColumns(
        "calls",
        "delivery",
        ("id",),
        ("given", "request", "words", "failed_records", "trail", "answer"),
        {"given": None, "request": "{}", "words": GONE, "failed_records": "[]", "trail": "[]", "answer": None},
        _OURS.format("x"),
    ),
    PiiColumns(
        "failed_records",
        "import_failure",
        ("import_id", "place"),
        ("field", "reason", "record"),
        {},
        f"x.import_id IN ({_JOBS})",
    ),
    PiiColumns(
        "imports",
        "import_job",
        ("id",),
        ("name", "path", "settings", "message"),
        {"name": GONE, "path": None, "settings": "{}", "message": None},
        _OURS.format("x"),
    ),
    PiiColumns(
        "comparisons",
        "comparison",
        ("id",),
        ("report",),
        {"report": without_ids},
        "x.cohort_id IN (SELECT id FROM cohort WHERE project_id = :project_id)",
    ),
    PiiColumns(
        "audit_entries",
        "audit_entry",
        ("id",),
        ("subject", "before", "after"),
        {"subject": GONE, "before": None, "after": None},
        "x.action NOT LIKE 'operator.%'",
    ),
    PiiColumns(
        "failures",
        "failure",
        ("id",),
        ("connection", "action", "message", "traceback"),
        {"connection": None, "action": None, "message": GONE, "traceback": None},
        "(x.project_id IS NULL OR x.project_id = :project_id)",
    ),
    PiiColumns(
        "alerts",
        "alert",
        ("id",),
        ("title", "message", "link", "error"),
        {"title": GONE, "message": GONE, "link": "", "error": None},
    ),
    PiiColumns("attempts", "attempt", ("id",), ("reason", "answer"), {"reason": GONE, "answer": None}),
    # Before the requests themselves, whose runs go with them and would not be counted.
    PiiColumns("saved_runs", "saved_run", ("id",), ("reason",), {"reason": GONE}),
    PiiColumns("saved_results", "saved_request", ("id",), ("reason",), {"reason": GONE}),
    PiiColumns(
        "saved_requests",
        "saved_request",
        ("id",),
        ("name", "folder", "given", "variables", "checks"),
        {},
        f"(x.project = '' OR {_OURS.format('x')})",
    ),
    PiiColumns("simulated_exports", "simulated_export", ("id",), ("report",), {"report": None}),
)

# Columns of text that are about no person of a cohort: words of ours, names that operators and Mixpanel gave to things,
# operators themselves, secrets. A person's own columns are erased by `sync.erasure`, messages and what is known of an
# identity at a far end by `destinations.erasure`.
NOBODY = {
    "alembic_version": {"version_num"},
    "alert": {"subject", "kind", "channel", "state"},
    "authenticator": {"sealed"},
    "alert_channel": {"name", "kind", "recipients", "sealed", "states", "cohorts", "created_by"},
    "alert_state": {"subject", "state", "told", "turns"},
    "api_token": {"name", "scope", "project_id", "network"},
    "attempt": {"verdict"},
    "audit_entry": {"who", "action"},
    "backup_schedule": {"place", "name", "reason"},
    "budget_call": {"project", "family"},
    "cohort": {"project_id", "mixpanel_cohort_id", "name", "description"},
    "cohort_label": {"name", "description"},
    "comparison": {"project", "who", "way", "state"},
    "connection": {"name", "projects", "keeps"},
    "delivery": {"project", "operation", "who", "source", "verdict"},
    "destination": {"name", "type", "settings", "sealed_secrets", "status", "cause", "reason", "check_told"},
    "download": {"file", "state"},
    "erasure": {"who", "project_id", "counts"},
    "failure": {"project_id", "cohort_id", "cause", "request_id"},
    "holder": {"identity"},
    "import_failure": {"verdict"},
    "import_job": {
        "project",
        "kind",
        "operation",
        "source",
        "fingerprint",
        "content_digest",
        "who",
        "state",
        "claimed_by",
        "advised",
    },
    "landing": {"state"},
    "message": {"kind", "state", "reason", "identity", "origin", "report", "sealed"},
    "minimisation": {"who", "choice", "stage"},
    "named_call": {"digest", "body_digest"},
    "one_time_link": {"kind", "email", "role"},
    "operator": {"email", "password_hash", "role", "time_zone", "provider_subject"},
    "passkey": {"name"},
    "person": {"project_id", "distinct_id", "email", "first_name", "last_name", "phone_number", "properties"},
    "placement": {"identity", "there", "vendor_id"},
    "project": {
        "name",
        "region",
        "mixpanel_project_id",
        "sealed_token",
        "sealed_username",
        "sealed_secret",
        "integration_id",
        "workspace_id",
        "checked",
    },
    "saved_request": {"operation", "project", "created_by", "updated_by", "scheduled_by"},
    "saved_run": {"who", "source"},
    "sign_in": {"address", "browser", "way"},
    "simulated_export": {"connection", "who", "state"},
    "subscription": {
        "identity",
        "country",
        "fields",
        "kinds",
        "reentry",
        "start",
        "report_event",
        "status",
        "reason",
    },
    "sync_session": {"mixpanel_session_id", "action", "status", "decision", "held_for"},
}
