"""Errors told to a Sentry-compatible server (SENTRY_DSN): where in the code they came from, and nothing of the call, of
whoever made it, or of what the error says, which may hold what was sent.

sentry-sdk is imported where it is used: it is an option, and most relays do without.
"""

from typing import TYPE_CHECKING, Any

from config import logs
from config.settings import Settings, WrongSetting
from config.version import VERSION

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

MISSING = (
    "{setting} is set, and its libraries are not installed. Install them: pip install --require-hashes -r"
    " requirements-observability.txt"
)
KEPT = ("event_id", "timestamp", "platform", "level", "release", "environment", "exception", "sdk")
KEPT_OF_ERROR = ("type", "module", "mechanism", "stacktrace")
KEPT_OF_FRAME = (
    "filename",
    "abs_path",
    "function",
    "module",
    "lineno",
    "in_app",
    "context_line",
    "pre_context",
    "post_context",
)
LAST_REPORTS = 2  # seconds that reports on their way may take when the process ends


def init_app(settings: Settings) -> None:
    """Have every error that is logged with its lines of code reported too. Raises WrongSetting where sentry-sdk is not
    installed."""
    logs.report_errors_to(None)
    if not settings.sentry_dsn:
        return
    try:
        import sentry_sdk
    except ImportError:
        raise WrongSetting(MISSING.format(setting="SENTRY_DSN")) from None
    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        release=f"cohort-relay@{VERSION}",
        before_send=scrubbed,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        shutdown_timeout=LAST_REPORTS,
    )
    logs.report_errors_to(sentry_sdk.capture_exception)


def scrubbed(event: "Event", _hint: "Hint") -> "Event":
    """Return the event with what is known to be about code alone; whatever a later sentry-sdk adds is left out too."""
    kept: Any = {name: event[name] for name in KEPT if name in event}  # type: ignore[literal-required]
    errors = kept.get("exception", {}).get("values", [])
    kept["exception"] = {"values": [_of_error(error) for error in errors]}
    return kept  # type: ignore[no-any-return]


def _of_error(error: dict[str, Any]) -> dict[str, Any]:
    found = {name: error[name] for name in KEPT_OF_ERROR if error.get(name)}
    frames = (error.get("stacktrace") or {}).get("frames", [])
    found["stacktrace"] = {
        "frames": [{name: frame[name] for name in KEPT_OF_FRAME if name in frame} for frame in frames]
    }
    if "mechanism" in found:
        found["mechanism"] = {"type": found["mechanism"].get("type", "generic"), "handled": True}
    return found
