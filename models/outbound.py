"""Talking to Mixpanel: projects with their credentials, every call that was made, budgets, and imports."""

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import NUMBERED_ONCE, BigId, ExactText, Moment
from models.database import Model


class Project(Model):
    """A Mixpanel project that we may call. The three `sealed_` columns hold ciphertext (security.encryption); their
    key is
    outside of the database.

    `checked` is a JSON object of what the credentials were last seen to work for.
    """

    __tablename__ = "project"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(ExactText, unique=True)
    region: Mapped[str] = mapped_column(Text)  # us, eu, in
    mixpanel_project_id: Mapped[str] = mapped_column(ExactText)
    sealed_token: Mapped[str | None] = mapped_column(Text)
    sealed_username: Mapped[str | None] = mapped_column(Text)
    sealed_secret: Mapped[str | None] = mapped_column(Text)
    integration_id: Mapped[str | None] = mapped_column(ExactText)
    workspace_id: Mapped[str | None] = mapped_column(ExactText)
    created_at: Mapped[int] = mapped_column(Moment)
    updated_at: Mapped[int] = mapped_column(Moment)
    checked_at: Mapped[int | None] = mapped_column(Moment)
    checked: Mapped[str | None] = mapped_column(ExactText)


class Delivery(Model):
    """One call to Mixpanel, written before its socket opens and completed after it closed. Credentials are masked.

    `verdict` is null while the call is under way, then accepted, partly, rejected, uncertain or failed. `given` is the
    JSON object `{"params", "body"}` that it was made from, `request` `{"method", "url", "headers", "body"}`, `trail` a
    list of attempts, `failed_records` the first of them. `answer` is what Mixpanel said, cut where it is long. A batch
    of an import has `import_id`, and the places of its first and last record. `repeatable` says whether it may be sent
    again after an outcome that nobody knows, `over_at` when nobody can be at work on it any more; both are null in the
    batch of an import, and in rows of versions that did not have them.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_project", "project", "id"),
        Index("ix_delivery_operation", "operation", "id"),
        Index(
            "ix_delivery_import",
            "import_id",
            "first_place",
            postgresql_where=text("import_id IS NOT NULL"),
            sqlite_where=text("import_id IS NOT NULL"),
        ),
        Index(
            "ix_delivery_open",
            "id",
            postgresql_where=text("verdict IS NULL"),
            sqlite_where=text("verdict IS NULL"),
        ),
        NUMBERED_ONCE,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[int] = mapped_column(Moment, index=True)
    project: Mapped[str] = mapped_column(ExactText)
    operation: Mapped[str] = mapped_column(Text)
    who: Mapped[str] = mapped_column(ExactText)
    source: Mapped[str] = mapped_column(Text)  # dashboard, terminal, api, import, landing, comparison, check
    given: Mapped[str | None] = mapped_column(ExactText)
    request: Mapped[str] = mapped_column(ExactText)
    records: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[str | None] = mapped_column(Text)
    words: Mapped[str | None] = mapped_column(ExactText)
    accepted: Mapped[int | None] = mapped_column(Integer)
    failed: Mapped[int | None] = mapped_column(Integer)
    failed_records: Mapped[str | None] = mapped_column(ExactText)
    attempts: Mapped[int] = mapped_column(Integer)
    trail: Mapped[str | None] = mapped_column(ExactText)
    status: Mapped[int | None] = mapped_column(Integer)
    answer: Mapped[str | None] = mapped_column(ExactText)
    duration_ms: Mapped[int | None] = mapped_column(BigInteger)
    import_id: Mapped[int | None] = mapped_column(BigId)
    first_place: Mapped[int | None] = mapped_column(BigInteger)
    last_place: Mapped[int | None] = mapped_column(BigInteger)
    repeatable: Mapped[bool | None] = mapped_column(Boolean)
    over_at: Mapped[int | None] = mapped_column(Moment)


class Download(Model):
    """A long answer of Mixpanel's to a call: how far it is, and the file in which it is kept, if any.

    `at` is when it was last looked at; `size` counts bytes. `state` is null while it comes, then whole, broken or
    cancelled. `file` is a name in the folder of downloads, null once that is gone.
    """

    __tablename__ = "download"

    delivery_id: Mapped[int] = mapped_column(
        ForeignKey("delivery.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    at: Mapped[int] = mapped_column(Moment, index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    records: Mapped[int | None] = mapped_column(BigInteger)
    file: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str | None] = mapped_column(Text)
    cancelled_at: Mapped[int | None] = mapped_column(Moment)


class NamedCall(Model):
    """A call under a name that its sender chose (Idempotency-Key), so that it is made once; digests in hexadecimals."""

    __tablename__ = "named_call"

    digest: Mapped[str] = mapped_column(Text, primary_key=True)
    body_digest: Mapped[str] = mapped_column(Text)
    delivery_id: Mapped[int] = mapped_column(BigId)
    at: Mapped[int] = mapped_column(Moment, index=True)


class Landing(Model):
    """One delivery check of a sent event: whether its `$insert_id` can be read back from Mixpanel.

    `state` is waiting, visible, missing or stopped; `cause` says in words what is likely where it was not seen.
    """

    __tablename__ = "landing"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id", ondelete="CASCADE"), unique=True)
    event: Mapped[str] = mapped_column(ExactText)
    distinct_id: Mapped[str] = mapped_column(ExactText)
    insert_id: Mapped[str] = mapped_column(ExactText)
    event_at: Mapped[int] = mapped_column(Moment)
    state: Mapped[str] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(ExactText)
    looks: Mapped[int] = mapped_column(Integer)
    asked_at: Mapped[int] = mapped_column(Moment)
    next_at: Mapped[int | None] = mapped_column(Moment, index=True)
    visible_at: Mapped[int | None] = mapped_column(Moment)
    claimed_until: Mapped[int | None] = mapped_column(Moment)


class BudgetCall(Model):
    """One call that counts towards a limit which Mixpanel sets for a project: `family` is query, export or lookup.

    `project` is Mixpanel's id, so that two of our projects with one id share its budget.
    """

    __tablename__ = "budget_call"
    __table_args__ = (Index("ix_budget_call_window", "project", "family", "started_at"), NUMBERED_ONCE)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    project: Mapped[str] = mapped_column(ExactText)
    family: Mapped[str] = mapped_column(Text)
    started_at: Mapped[int] = mapped_column(Moment)
    ended_at: Mapped[int | None] = mapped_column(Moment)


class Import(Model):
    """A file, or a cohort, whose records are sent in batches in the background.

    `kind` is events, people or groups; `source` upload, file or cohort; `state` ready, waiting, running, paused,
    cancelled, done or failed. `settings` is a JSON object: the column mapping, the template, the group key. Counts are
    of records: `read` from the source, then `accepted`, `refused` (by our checks or by Mixpanel) and `uncertain`;
    `advised` is a JSON object that counts those sent against advice, by its sort; `left_out` counts what the filter did
    not let pass, once it is done. `content_digest` is of its file's whole content, under our key.
    """

    __tablename__ = "import_job"
    __table_args__ = (
        Index(
            "ix_import_job_open",
            "id",
            postgresql_where=text("state IN ('waiting', 'running')"),
            sqlite_where=text("state IN ('waiting', 'running')"),
        ),
        NUMBERED_ONCE,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    project: Mapped[str] = mapped_column(ExactText)
    kind: Mapped[str] = mapped_column(Text)
    operation: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(ExactText)
    path: Mapped[str | None] = mapped_column(ExactText)
    fingerprint: Mapped[str | None] = mapped_column(Text)
    cohort_id: Mapped[int | None] = mapped_column(BigId)
    settings: Mapped[str] = mapped_column(ExactText)
    who: Mapped[str] = mapped_column(ExactText)
    state: Mapped[str] = mapped_column(Text)
    message: Mapped[str | None] = mapped_column(ExactText)
    total: Mapped[int | None] = mapped_column(BigInteger)
    read: Mapped[int] = mapped_column(BigInteger)
    accepted: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    uncertain: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(Moment)
    started_at: Mapped[int | None] = mapped_column(Moment)
    ended_at: Mapped[int | None] = mapped_column(Moment)
    worked_ms: Mapped[int] = mapped_column(BigInteger)
    claimed_by: Mapped[str | None] = mapped_column(Text)
    claimed_until: Mapped[int | None] = mapped_column(Moment)
    advised: Mapped[str | None] = mapped_column(Text)
    left_out: Mapped[int | None] = mapped_column(BigInteger)
    content_digest: Mapped[str | None] = mapped_column(Text, index=True)


class ImportFailure(Model):
    """A record of an import that Mixpanel does not have, or may not have: why, and the record itself, to be sent again.

    `place` is the record's number in its file (from 1), or the person's id where a cohort is the source; `verdict` is
    refused (by our checks), rejected (by Mixpanel) or uncertain; `again_in` is the import that sends it again.
    """

    __tablename__ = "import_failure"

    import_id: Mapped[int] = mapped_column(ForeignKey("import_job.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    verdict: Mapped[str] = mapped_column(Text)
    field: Mapped[str | None] = mapped_column(ExactText)
    reason: Mapped[str] = mapped_column(ExactText)
    record: Mapped[str] = mapped_column(ExactText)
    again_in: Mapped[int | None] = mapped_column(BigInteger)


class Comparison(Model):
    """A cohort compared with Mixpanel's own: counts, and where ids were fetched or uploaded, who is on one side only.

    `state` is waiting, running, done, failed or cancelled. `report` is a JSON object (`outbound.comparison.jobs` says
    its keys).
    """

    __tablename__ = "comparison"
    __table_args__ = NUMBERED_ONCE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    cohort_id: Mapped[int] = mapped_column(BigId, index=True)
    project: Mapped[str] = mapped_column(ExactText)
    who: Mapped[str] = mapped_column(ExactText)
    way: Mapped[str] = mapped_column(Text)  # count, ids, csv
    state: Mapped[str] = mapped_column(Text)
    report: Mapped[str | None] = mapped_column(ExactText)
    asked_at: Mapped[int] = mapped_column(Moment)
    ended_at: Mapped[int | None] = mapped_column(Moment)
    claimed_until: Mapped[int | None] = mapped_column(Moment)
