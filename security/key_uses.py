"""Everything that depends on SECRET_KEY, in one list: what is sealed, what is found by a keyed digest, and the rest.

A test holds it against the tables and against the code: whatever seals or digests is named here with its module.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class SealedColumn:
    """A column of ciphertext, which a rotation seals anew; `key` is its table's primary key, `by` who seals it."""

    table: str
    column: str
    key: str
    words: str
    by: str

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


@dataclass(frozen=True)
class DigestColumn:
    """A column of keyed digests. They cannot be made anew from what is stored: an earlier key finds them until they are
    used, or over. `live` is which rows still count, as SQL with :now; None where they are over within a day by
    themselves, or no loss, and have no key_id."""

    table: str
    column: str
    words: str
    by: str
    live: str | None = None

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


SEALED = (
    SealedColumn("project", "sealed_token", "id", "projects' tokens", "outbound/projects.py"),
    SealedColumn("project", "sealed_username", "id", "service accounts' names", "outbound/projects.py"),
    SealedColumn("project", "sealed_secret", "id", "service accounts' secrets", "outbound/projects.py"),
    SealedColumn("destination", "sealed_secrets", "id", "destinations' secrets", "destinations/destinations.py"),
    SealedColumn("alert_channel", "sealed", "id", "addresses and secrets of alerts", "alerts/stored_channels.py"),
    SealedColumn("authenticator", "sealed", "operator_id", "second factors of operators", "security/second_factor.py"),
    SealedColumn("message", "sealed", "id", "erasures that destinations are to be told of", "destinations/erasure.py"),
    SealedColumn(
        "refused_request", "sealed", "failure_id", "requests that were refused", "security/refused_requests.py"
    ),
    SealedColumn("handover", "sealed", "digest", "what waits for an operator's next page", "security/handover.py"),
)

DIGESTED = (
    DigestColumn("connection_password", "digest", "webhook passwords", "security/connections.py", "retired_at IS NULL"),
    DigestColumn("api_token", "digest", "API tokens", "security/tokens.py", "expires_at IS NULL OR expires_at > :now"),
    DigestColumn("one_time_link", "digest", "one-time links", "security/one_time_links.py", "expires_at > :now"),
    DigestColumn(
        "sign_in", "digest", "browsers that are signed in", "security/signed_in_browsers.py", "started_at <= :now"
    ),
    DigestColumn("recovery_code", "digest", "recovery codes", "security/second_factor.py", "1 = 1"),
    DigestColumn("erasure", "digest", "proofs of erasures", "erasure/records.py", "1 = 1"),
    DigestColumn("handover", "digest", "keys in addresses, for an hour", "security/handover.py"),
    DigestColumn("named_call", "digest", "names of calls, for a day", "outbound/idempotency.py"),
    DigestColumn("named_call", "body_digest", "contents of named calls, for a day", "outbound/idempotency.py"),
    DigestColumn("import_job", "fingerprint", "files of imports, noted anew when read", "outbound/imports/files.py"),
    # The same file under another key is not known again: a hint is missed, and nothing else.
    DigestColumn("import_job", "content_digest", "contents of imported files", "outbound/imports/files.py"),
    DigestColumn("secret_key_check", "digest", "the check of the key itself", "security/key_check.py"),
    DigestColumn("secret_key_check", "names_digest", "the check of what names messages", "security/key_check.py"),
)

# What depends on the key without a column of its own, by the module that uses it.
ELSEWHERE = {
    "alerts/channel_secrets.py": "seals a channel's new key, in the column of alerts/stored_channels.py",
    "security/encryption.py": "derives what seals from the key",
    "security/sign_in_guard.py": "a browser's cookie that an account was signed in there before",
    "security/key_cookies.py": "signs cookies and the tokens of forms; an earlier key opens cookies",
    "security/webhook.py": "looks a webhook password up",
    "security/renewed_digests.py": "puts the digest of a password or token under the key of now when it is used",
    "destinations/bodies.py": "names a message for the far end, always under the key of the first time",
    "destinations/credentials.py": "names what a vendor allows for one credential, in memory",
    "destinations/suppression.py": "looks whether somebody was erased",
    "security/rate_limits.py": "what callers are counted under, for minutes",
    "security/operators.py": "the code of the first operator, good until there is one",
    "security/rotation.py": "seals anew",
    "sync/minimise/fields.py": "hashes e-mails and phone numbers of profiles, where a connection asks for it, always"
    " under the key of the first time",
    "sync/minimise/page.py": "the digest of a page's body, where a connection keeps less than it is sent",
}

# Bytes and digests that depend on no key.
NO_KEY = {
    *("attempt.message_ids", "sync_page.body_digest", "sync_page.seen", "person.digest"),
    *("passkey.credential_id", "passkey.key"),
}
