"""What is kept about people: every table that holds something about them, what, why and for how long.

The one home of these facts: the page for privacy officers, the settings' page and the table of `docs/operating.md` are
made from it or held against it, and a test holds that no table and no column of `erasure.pii_columns` is left out.
"""

from dataclasses import dataclass
from typing import Any

FOR_EVER = "for ever"


@dataclass(frozen=True)
class PersonalData:
    """A kind of data: `holds` says which fields, for people; `columns` are those columns. It goes after the days (or
    hours) of `setting`, counted from `since`, or else when `until` says. `beside` is what to know besides."""

    title: str
    columns: tuple[str, ...]
    holds: str
    why: str
    setting: str = ""
    since: str = ""
    until: str = FOR_EVER
    beside: str = ""

    @property
    def tables(self) -> set[str]:
        """Return the tables in which it is."""
        return {column.partition(".")[0] for column in self.columns}

    def lasts(self, settings: Any) -> str:
        """Return how long it is kept with these settings."""
        if not self.setting:
            return self.until
        length, unit = getattr(settings, self.setting.lower()), "hour" if self.setting.endswith("HOURS") else "day"
        return f"{length:,} {unit}{'' if length == 1 else 's'}{self.since and f' {self.since}'}" if length else FOR_EVER

    @property
    def documented(self) -> str:
        """Return its row in the table of the documents."""
        lasts = f"`{self.setting}`{self.since and f' {self.since}'}" if self.setting else self.until
        return f"| {self.title} | {lasts}{self.beside and f'; {self.beside}'} |"


MEMBERS = (
    PersonalData(
        "people with their profiles",
        (
            *("person.distinct_id", "person.email", "person.first_name", "person.last_name", "person.phone_number"),
            "person.properties",
        ),
        "the id, e-mail, names, phone number and further properties, as far as Mixpanel sends them and their connection"
        " keeps them",
        "to say who is in a cohort, and to tell destinations of them",
        until="for ever, or until the person is erased",
        beside="fields go earlier where their connection gives them days ([privacy.md](privacy.md))",
    ),
    PersonalData(
        "who is in which cohort, and was",
        ("membership.person_id", "membership.entered_at", "membership.left_at", "membership.entry_number"),
        "the person, when they entered and left, and how often they have",
        "it is what the relay is for",
        until="for ever, or until the person is erased",
    ),
    PersonalData(
        "the change log: stays that have ended",
        ("membership_change.person_id", "membership_change.at", "membership_change.entered"),
        "the person, and each entry and exit",
        "destinations and readers of the change feed follow it",
        setting="RETAIN_LOG_DAYS",
        since="after their end, each as a whole",
        beside="stays that last, for ever: without them the log would not add up to the members",
    ),
    PersonalData(
        "pages with the ids they named and their rejected members",
        ("sync_page.seen", "sync_page.rejected_members"),
        "numbers of the people whom a page named; what stood in place of an id that cannot be one",
        "to tell a page that comes again, to end a refresh, and to show what was rejected",
        setting="RETAIN_PAGES_DAYS",
        since="after the last page",
        beside="not before they can have no effect any more",
    ),
    PersonalData(
        "failures, and the calls that were refused",
        ("failure.connection", "failure.action", "failure.message", "failure.traceback", "refused_request.sealed"),
        "a sentence without member data; the refused call itself is encrypted, without its password, and without its"
        " body where the connection keeps less than it is sent",
        "to find out why a call was refused",
        setting="RETAIN_FAILURES_DAYS",
    ),
    PersonalData(
        "messages to destinations and their calls",
        ("message.person_id", "message.identity", "message.sealed", "attempt.reason", "attempt.answer"),
        "the person, the identity under which they were told of, and what the far end answered",
        "to tell each change once, and to say what arrived",
        setting="RETAIN_MESSAGES_DAYS",
        since="once they are over",
        beside="the counts by state stay",
    ),
    PersonalData(
        "whom destinations hold",
        ("holder.person_id", "holder.identity", "placement.identity", "placement.vendor_id"),
        "the person, the identity, and the far end's own id of them",
        "to take them out again under the identity under which they are there",
        until="as long as they are there",
    ),
    PersonalData(
        "calls to Mixpanel, and look-outs for their events",
        (
            *("delivery.given", "delivery.request", "delivery.words", "delivery.failed_records", "delivery.trail"),
            *("delivery.answer", "landing.event", "landing.distinct_id", "landing.insert_id", "landing.cause"),
        ),
        "what operators and programs sent to Mixpanel, and what it answered",
        "to say what came of each call",
        setting="RETAIN_DELIVERIES_DAYS",
    ),
    PersonalData(
        "imports with their uploads and failed records",
        (
            *("import_job.name", "import_job.path", "import_job.settings", "import_job.message"),
            *("import_failure.field", "import_failure.reason", "import_failure.record"),
        ),
        "the uploaded file, and the records that Mixpanel did not take",
        "to go on where an import was interrupted, and to mend what failed",
        setting="RETAIN_DELIVERIES_DAYS",
    ),
    PersonalData(
        "comparisons with Mixpanel",
        ("comparison.report",),
        "the ids that only one side has",
        "to prove that a cohort is the same here and there",
        setting="RETAIN_DELIVERIES_DAYS",
    ),
    PersonalData(
        "long answers of Mixpanel's that were kept to be downloaded",
        ("download.file",),
        "whatever was asked for, such as exported events and profiles, in a file",
        "to be downloaded",
        setting="RETAIN_DOWNLOADS_HOURS",
    ),
    PersonalData(
        "saved requests",
        (
            *("saved_request.name", "saved_request.folder", "saved_request.given", "saved_request.variables"),
            *("saved_request.checks", "saved_request.reason"),
        ),
        "whatever somebody wrote into them",
        "a team sends them again",
        until="until somebody removes them",
    ),
    PersonalData(
        "runs of saved requests",
        ("saved_run.reason",),
        "why a run did not pass",
        "to see when something broke",
        setting="RETAIN_DELIVERIES_DAYS",
    ),
    PersonalData(
        "simulated exports",
        ("simulated_export.report",),
        "counts of an export of people who are made up",
        "to try a connection out",
    ),
    PersonalData(
        "alerts that were sent",
        ("alert.title", "alert.message", "alert.link", "alert.error"),
        "names of cohorts and connections; a person only by accident of a name",
        "to say what operators were told",
        until="90 days",
    ),
    PersonalData(
        "the audit trail",
        ("audit_entry.who", "audit_entry.subject", "audit_entry.before", "audit_entry.after"),
        "who changed, exported or looked at what; never a member's profile",
        "it says who did what",
        beside="it is small",
    ),
    PersonalData(
        "proofs of erasures",
        ("erasure.digest",),
        "a keyed digest of an id, which nobody can read back",
        "they are what answers whether somebody was erased",
        beside="they hold no id",
    ),
    PersonalData(
        "what waits for an operator's next page",
        ("handover.sealed",),
        "what was typed into a form or searched for, encrypted",
        "to show it on the page that follows, and in no address",
        until="an hour at most",
    ),
)

OPERATORS = (
    PersonalData(
        "accounts",
        (
            *("operator.email", "operator.password_hash", "operator.role", "operator.time_zone"),
            *("operator.provider_subject", "authenticator.sealed", "recovery_code.digest"),
            *("passkey.name", "passkey.credential_id", "passkey.key"),
        ),
        "e-mail, role, time zone, a hash of the password, the company's own id of them, an encrypted second factor, the"
        " public half of passkeys",
        "to let them in",
        until="until an admin removes the account",
    ),
    PersonalData(
        "sign-ins",
        ("sign_in.address", "sign_in.browser", "sign_in.way"),
        "address, program and times of each browser that is signed in",
        "they see them on their account, and end them",
        setting="SIGN_IN_LONGEST_HOURS",
        since="at most",
    ),
    PersonalData(
        "invitations and new passwords by link",
        ("one_time_link.email", "one_time_link.role"),
        "e-mail and role",
        "to let somebody in for the first time, or again",
        until="a week at most",
    ),
    PersonalData(
        "whom alerts go to",
        ("alert_channel.recipients", "alert_channel.sealed"),
        "e-mail addresses, and encrypted addresses of chats",
        "to tell them when something breaks",
        until="until an admin removes the channel",
    ),
    PersonalData(
        "who did what",
        ("audit_entry.who",),
        "the operator's e-mail",
        "it says who did what",
    ),
)

# Tables that hold nothing about people: names that things were given, numbers, secrets of machines.
NOTHING = frozenset(
    {
        *("alert_state", "api_token", "backup_schedule", "budget_call", "cohort", "cohort_label", "connection"),
        *("connection_password", "destination", "minimisation", "named_call", "project", "secret_key_check"),
        *("subscription", "subscription_counts", "sync_session"),
    }
)
