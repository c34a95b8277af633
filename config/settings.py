"""Every setting, once: its name, default, help and parser.

Settings come from environment variables, then from ``instance/.env``, then from the defaults below. A value that
cannot be read stops the start and names itself (`WrongSetting`). The table in ``docs/settings.md`` is tested against
`SETTINGS`.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from config import instance_files
from config.database_url import SQLITE, database_url, sqlite_file
from config.instance_files import WrongSetting
from config.key_strength import is_random_enough
from config.parsers import (
    WrongValue,
    bracketed,
    emails,
    host,
    names,
    one_of,
    public_url,
    rate,
    readable,
    redis_url,
    secret_key,
    text,
    url,
    whole,
)

__all__ = ["SETTINGS", "Setting", "Settings", "WrongSetting", "load", "settings_shown"]

KEY_FILE = "secret-key"  # in the instance folder
ROOT = Path(__file__).resolve().parent.parent
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


@dataclass(frozen=True)
class Setting:
    """One setting: ``parse`` turns the text of the environment into the value, or raises ValueError."""

    name: str
    default: str
    help: str
    parse: Callable[[str], Any]
    secret: bool = False


SETTINGS = (
    Setting("HOST", "127.0.0.1", "Address that the server listens on.", host),
    Setting("PORT", "8000", "Port that the server listens on.", whole(1, 65535)),
    Setting("INSTANCE_PATH", "instance", "Folder of the database, the secret key and .env.", text),
    Setting(
        "DATABASE_URL",
        "",
        "Where everything is kept: a postgresql:// address, also of several hosts; empty means SQLite in the instance"
        " folder.",
        database_url,
        secret=True,
    ),
    Setting("DATABASE_POOL_SIZE", "10", "Connections that one process holds to PostgreSQL.", whole(1, 200)),
    Setting(
        "DATABASE_STATEMENT_SECONDS",
        "60",
        "How long one statement may take on PostgreSQL before it is given up.",
        whole(1, 3600),
    ),
    Setting(
        "REDIS_URL",
        "",
        "Where rate limits are counted when several processes share them; empty means in memory.",
        redis_url,
        secret=True,
    ),
    Setting(
        "SECRET_KEY",
        "",
        "Key of the stored password digests and of Mixpanel's credentials; made and kept in the instance folder when"
        " empty. Changing it makes every webhook password and API token invalid, and stored credentials unreadable.",
        secret_key,
        secret=True,
    ),
    Setting(
        "PUBLIC_URL",
        "",
        "Address under which Mixpanel reaches this app, used in the URLs that we print; empty means http://HOST:PORT.",
        public_url,
    ),
    Setting(
        "ALLOWED_HOSTS",
        "",
        "Further names under which browsers may reach the dashboard, with commas between them, beside those of"
        " PUBLIC_URL and HOST, localhost, and addresses in numbers; * means any.",
        names,
    ),
    Setting("TRUSTED_PROXIES", "0", "Reverse proxies in front of us whose X-Forwarded headers count.", whole(0, 10)),
    Setting("PROCESSES", "1", "Processes that answer requests; more than one needs PostgreSQL.", whole(1, 64)),
    Setting("THREADS", "8", "Requests that one process works on at once.", whole(1, 256)),
    Setting(
        "SLOW_CLIENT_SECONDS",
        "15",
        "How long a client may keep us waiting for its next call, its headers or its body, and a second more for every"
        " 64 KB of body; whoever takes twice as long is cut off.",
        whole(1, 600),
    ),
    Setting("MAX_BODY_MB", "32", "Largest webhook body in megabytes, also after gunzip.", whole(1, 1024)),
    Setting(
        "SETTLE_SECONDS",
        "120",
        "How long no page may have come before an export of unclear length counts as complete (S8).",
        whole(1, 86400),
    ),
    Setting(
        "STALLED_SECONDS",
        "900",
        "Silence after which an unfinished export is shown as stalled (S13).",
        whole(1, 864000),
    ),
    Setting(
        "SWEEP_INLINE_MEMBERS",
        "250000",
        "Cohorts up to this size are swept in the transaction of the last page; larger ones in steps by the worker.",
        whole(0, 10**9),
    ),
    Setting(
        "SWEEP_STEP_MEMBERS",
        "50000",
        "People whom one step of such a sweep looks at; pages of the cohort wait for a step, and get in between two.",
        whole(1, 10**9),
    ),
    Setting(
        "REMOVAL_GUARD_PERCENT",
        "50",
        "A refresh that would remove more than this share of a cohort is held until an operator decides; 0 is off.",
        whole(0, 100),
    ),
    Setting(
        "REMOVAL_GUARD_MIN_MEMBERS",
        "100",
        "Members from which the removal guard watches a cohort.",
        whole(0, 10**9),
    ),
    Setting("WEBHOOK_RATE_LIMIT", "30000 per minute", "Calls that one connection may make.", rate),
    Setting("API_RATE_LIMIT", "6000 per minute", "Calls that one API token may make.", rate),
    Setting("SIGN_IN_FAILURE_LIMIT", "30 per minute", "Wrong credentials that one address may send.", rate),
    Setting(
        "OPERATOR_SIGN_IN_LIMIT",
        "10 per minute",
        "Sign-ins at the dashboard that one address may try; one account may be tried ten times as often.",
        rate,
    ),
    Setting(
        "SIGN_IN_IDLE_HOURS",
        "168",
        "Hours without a call after which a browser is signed out of the dashboard.",
        whole(1, 8760),
    ),
    Setting(
        "SIGN_IN_LONGEST_HOURS",
        "720",
        "Hours after which a browser is signed out of the dashboard, however much it is used.",
        whole(1, 8760),
    ),
    Setting(
        "EXPORT_ROLE",
        "viewer",
        "The least role that may download whole cohorts from the dashboard.",
        one_of("viewer", "operator", "admin"),
    ),
    Setting(
        "RETAIN_PAGES_DAYS", "30", "Days that the pages of older sessions are kept; 0 keeps them.", whole(0, 36500)
    ),
    Setting(
        "RETAIN_LOG_DAYS",
        "0",
        "Days that stays which have ended are kept in the change log; 0 keeps them.",
        whole(0, 36500),
    ),
    Setting("RETAIN_FAILURES_DAYS", "90", "Days that failures are kept; 0 keeps them.", whole(0, 36500)),
    Setting(
        "SMTP_URL",
        "",
        "Mail server of the alerts: smtp://user:password@host:587 (encrypted where the server offers it) or smtps://.",
        url("smtp", "smtps"),
        secret=True,
    ),
    Setting("ALERT_EMAIL_FROM", "", "Sender of alerts by e-mail; empty means the first of ALERT_EMAIL_TO.", emails),
    Setting("ALERT_EMAIL_TO", "", "Who gets alerts by e-mail: addresses with commas between them.", emails),
    Setting(
        "ALERT_SLACK_URL",
        "",
        "Incoming webhook of Slack, or of a chat that takes the same JSON, which gets alerts.",
        url("http", "https"),
        secret=True,
    ),
    Setting("ALERT_WEBHOOK_URL", "", "Webhook of yours that gets alerts as JSON.", url("http", "https"), secret=True),
    Setting(
        "ALERT_WEBHOOK_SECRET",
        "",
        "Key of the signature of that JSON; empty means that it is not signed.",
        text,
        secret=True,
    ),
    Setting(
        "MIXPANEL_BASE_URL",
        "",
        "A server that stands in for Mixpanel: every call goes to this address/<family>/… instead; for tests only.",
        url("http", "https"),
    ),
    Setting("SEND_ATTEMPTS", "5", "How often one call to Mixpanel is tried, at most.", whole(1, 10)),
    Setting(
        "SEND_PAUSE_SECONDS", "2", "Pause before the second try; it doubles up to 60 s, with jitter.", whole(0, 60)
    ),
    Setting(
        "SEND_TIMEOUT_SECONDS",
        "30",
        "How long one try of a call may take, from the first step to the last byte of the answer.",
        whole(1, 600),
    ),
    Setting("RETAIN_DELIVERIES_DAYS", "90", "Days that calls to Mixpanel are kept; 0 keeps them.", whole(0, 36500)),
    Setting(
        "MAX_DOWNLOADS_MB",
        "4096",
        "Megabytes of Mixpanel's long answers that are kept together; the oldest go first.",
        whole(1, 10**6),
    ),
    Setting(
        "RETAIN_DOWNLOADS_HOURS",
        "24",
        "Hours that a long answer of Mixpanel's is kept to be downloaded.",
        whole(1, 8760),
    ),
    Setting(
        "MAX_IMPORT_MB", "2048", "Largest file in megabytes that the dashboard takes for an import.", whole(1, 10**6)
    ),
    Setting(
        "CLAIM_SECONDS",
        "60",
        "How long an export stays with the worker that settles or sweeps it after its last sign of life; then another"
        " takes it over.",
        whole(1, 3600),
    ),
    Setting("WORK_SECONDS", "2", "Pause between two rounds of the upkeep worker.", whole(1, 3600)),
    Setting("LOG_LEVEL", "info", "How much is logged.", one_of("debug", "info", "warning", "error")),
    Setting("LOG_FORMAT", "json", "One JSON object a line, or text for people.", one_of("json", "text")),
)


class Settings(SimpleNamespace):
    """The parsed settings: one attribute a setting, in lower case (``settings.max_body_mb``).

    ``origins`` maps each name to where its value came from: ``environment``, ``.env`` or ``default``. ``made_key`` says
    that the key's file was not there and has been made.
    """

    origins: dict[str, str]
    instance: Path
    made_key: bool

    def __getattr__(self, name: str) -> Any:  # only reached for a name that is no setting
        raise AttributeError(f"no setting {name!r}")

    def forget_made_key(self) -> None:
        """Remove the key's file where we have just made it: the earlier one is missing, and this one is no use."""
        file = self.instance / KEY_FILE
        if self.made_key and file.is_file() and file.read_text().strip() == self.secret_key:
            file.unlink(missing_ok=True)

    @property
    def on_sqlite(self) -> bool:
        return bool(self.database_url.startswith("sqlite"))


def settings_shown(settings: Settings) -> list[dict[str, str]]:
    """Every setting with its name, the value in use and where that comes from; a secret is `[masked]`."""
    return [
        {"name": setting.name, "value": _shown(settings, setting), "origin": settings.origins[setting.name]}
        for setting in SETTINGS
    ]


def _shown(settings: Settings, setting: Setting) -> str:
    if setting.secret:
        return "" if settings.origins[setting.name] == "default" else "[masked]"
    return str(getattr(settings, setting.name.lower()))


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings; the instance folder is made if it is missing.

    Raises WrongSetting where a value cannot be read.
    """
    environ = os.environ if environ is None else environ
    instance = instance_files.made(environ.get("INSTANCE_PATH") or "instance", ROOT)
    stored = instance_files.stored(instance / ".env")
    settings = Settings(origins={}, instance=instance)
    for setting in SETTINGS:
        value, origin = _find(setting, environ, stored)
        setattr(settings, setting.name.lower(), _parse(setting, value, origin))
        settings.origins[setting.name] = origin
    if not settings.database_url or settings.on_sqlite:  # a relative file lies in the instance folder too
        file = sqlite_file(settings.database_url) if settings.database_url else Path("cohort-relay.db")
        settings.database_url = f"{SQLITE}{instance / file}"
    settings.public_url = settings.public_url or _listening(settings.host, settings.port)
    file = instance / KEY_FILE
    try:
        settings.made_key = not settings.secret_key and not file.exists()
        settings.secret_key = settings.secret_key or _kept_secret(file)
    except OSError as error:
        raise WrongSetting(f"{file} cannot be read or written: {instance_files.why(error)}.") from None
    return settings


def _listening(host: str, port: int) -> str:
    """The address of a server that listens there; one that listens everywhere is reached on this machine."""
    return f"http://{bracketed('localhost' if host in EVERYWHERE else host)}:{port}"


def _find(setting: Setting, environ: Mapping[str, str], stored: Mapping[str, str]) -> tuple[str, str]:
    if environ.get(setting.name, "") != "":
        return environ[setting.name], "environment"
    if stored.get(setting.name, "") != "":
        return stored[setting.name], ".env"
    return setting.default, "default"


def _parse(setting: Setting, value: str, origin: str) -> Any:
    try:
        return setting.parse(readable(value))
    except ValueError as error:
        shown = "its value" if setting.secret else repr(value)
        expected = str(error) if isinstance(error, WrongValue) else (setting.parse.__doc__ or "a usable value").strip()
        raise WrongSetting(f"{setting.name} (from {origin}): {shown} is not {expected}.") from None


def _kept_secret(path: Path) -> str:
    """The key in `path`, made on first use; linking it into place lets two processes that start at once agree. Raises
    WrongSetting where the file holds no key."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    kept = path.read_bytes().decode(errors="replace").strip()
    if not is_random_enough(kept):
        raise WrongSetting(
            f"The file {path} holds no key that is good enough: it is empty, cut short, or was written by hand. Put it"
            " back from your backup; where there is none and nothing is stored yet, remove it, and another one is made."
        )
    return kept
