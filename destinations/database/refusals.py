"""What an error of a company's database means. Only its number is told: the text of an error may hold a row."""

import psycopg
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnection

from destinations.contract import Refusal, RefusalKind
from outbound.transport import certificates
from outbound.transport.addresses import Refused

# By SQLSTATE or the driver's number: the first digits that fit.
_KINDS: tuple[tuple[RefusalKind, tuple[str, ...], str], ...] = (
    ("credentials", ("28", "42501", "1044", "1045", "1142", "1143", "1227", "1698"), "It refuses this user."),
    ("gone", ("3D000", "3F000", "42P01", "42703", "1049", "1054", "1146"), "What the settings name is not there."),
)
# PostgreSQL's client library gives no number where no connection came about.
_SAID: tuple[tuple[RefusalKind, tuple[str, ...], str], ...] = (
    ("credentials", ("authentication failed", "no pg_hba.conf entry", "no password supplied"), _KINDS[0][2]),
    ("gone", ("does not exist", "unable to open database file", "file is not a database"), _KINDS[1][2]),
)

# It does not say what is wrong with a certificate either.
_UNTRUSTED = {
    "certificate verify failed": f"{certificates.UNTRUSTED}: it may have expired, or nobody whom this machine trusts"
    " has signed it",
    "does not match host name": "its certificate is for another name",
    "root certificate file": "its certificate cannot be checked, because this machine has no list of whom to trust for"
    " PostgreSQL (~/.postgresql/root.crt)",
}


def refusal_of(error: Exception) -> Refusal:
    """Return the refusal. A transaction that did not end changed nothing, and one whose end nobody heard of may be
    repeated, so that everything which may pass is tried again."""
    cause: BaseException | None = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, Refused):
        return Refusal("gone", "address_refused", f"Its name leads to {cause}. See ALLOW_PRIVATE_DESTINATIONS.")
    if isinstance(error, NoConnection) or cause is None:
        return Refusal("unavailable", "unreached", "No connection came about.")
    if untrusted := _of_certificate(cause):
        return Refusal("unavailable", "certificate", f"It could not be reached: {untrusted}.")
    number = _number(cause)
    found = _known(number, str(cause))
    if found is not None:
        kind, told = found
        return Refusal(kind, _reason(number), f"{told}{_told(number)}")
    if isinstance(error, IntegrityError | DataError):
        reason = _reason(number) if _is_number(number) else "row"
        return Refusal("batch", reason, f"It refuses a row.{_told(number)}")
    return Refusal("unavailable", _reason(number), f"It could not be reached, or broke off.{_told(number)}")


def _of_certificate(cause: BaseException) -> str:
    """Return what is wrong with the server's certificate; empty where it is something else."""
    if found := certificates.reason(one for one in (cause, cause.__context__) if one is not None):
        return found
    said = str(cause) if isinstance(cause, psycopg.OperationalError) else ""
    return next((why for words, why in _UNTRUSTED.items() if words in said), "")


def _number(cause: BaseException) -> str:
    """Return the number of MySQL's error, or else the SQLSTATE; empty where there is none."""
    first = cause.args[0] if cause.args else ""
    return str(first if isinstance(first, int) else getattr(cause, "sqlstate", None) or "")


def _known(number: str, said: str) -> tuple[RefusalKind, str] | None:
    for kind, numbers, told in _KINDS:
        if _is_number(number) and number.startswith(numbers):
            return kind, told
    for kind, words, told in _SAID:
        if any(word in said for word in words):
            return kind, told
    return None


def _is_number(number: str) -> bool:
    return number.isascii() and number.isalnum() and len(number) in {4, 5}


def _reason(number: str) -> str:
    return f"error_{number.lower()}" if _is_number(number) else "unreached"


def _told(number: str) -> str:
    return f" (error {number})" if _is_number(number) else ""
