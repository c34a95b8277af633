"""The table of settings: the name, default, help and parser of each.

The table in ``docs/settings.md`` is tested against `SETTINGS`.
"""

from config.backups import BACKUPS
from config.database_url import database_url
from config.parsers import (
    emails,
    flag,
    host,
    names,
    one_of,
    public_url,
    rate,
    redis_url,
    secret_key,
    secret_keys,
    text,
    url,
    whole,
)
from config.setting import Setting
from config.single_sign_on import SINGLE_SIGN_ON

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
    Setting(
        "DATABASE_READ_URL",
        "",
        "A replica of DATABASE_URL, on PostgreSQL, which answers the dashboard's lists, the API's and exports as long"
        " as it is at most 30 seconds behind; empty means none.",
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
        " empty. Without it every webhook password and API token is invalid, and stored credentials are unreadable:"
        " put the earlier one into SECRET_KEY_OLD when you change it.",
        secret_key,
        secret=True,
    ),
    Setting(
        "SECRET_KEY_OLD",
        "",
        "Earlier keys, the newest first, with commas between them: what was stored under them stays readable, and is"
        " sealed anew by flask secrets rotate.",
        secret_keys,
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
        "REMOVAL_GUARD_MIN_MEMBERS", "100", "Members from which the removal guard watches a cohort.", whole(0, 10**9)
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
        "SECOND_FACTOR",
        "optional",
        "Second factors beside passwords: whoever wants one has one (optional), admins or everyone must, or nobody is"
        " asked for one (off).",
        one_of("off", "optional", "admins", "everyone"),
    ),
    *SINGLE_SIGN_ON,
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
        "Mail server of alerts, and of links to operators: smtp://user:password@host:587 (encrypted where the server "
        "offers it) or smtps://.",
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
    Setting(
        "ALLOW_PRIVATE_DESTINATIONS",
        "off",
        "Whether destinations may be at private and loopback addresses, on or off; link-local and metadata addresses"
        " are never called.",
        flag,
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
    Setting(
        "RETAIN_MESSAGES_DAYS",
        "90",
        "Days that messages to destinations are kept once they are over, and their calls; 0 keeps them.",
        whole(0, 36500),
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
    *BACKUPS,
    Setting(
        "DISK_LOW_PERCENT",
        "10",
        "A disk of ours of which less than this share is free, and less than 20 GB, is called nearly full; 0 is off.",
        whole(0, 99),
    ),
    Setting("WORK_SECONDS", "2", "Pause between two rounds of the upkeep worker.", whole(1, 3600)),
    Setting(
        "SENTRY_DSN",
        "",
        "A Sentry-compatible server that is told of errors: the lines of code, and nothing of calls and members.",
        url("http", "https"),
        secret=True,
    ),
    Setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "A collector that gets OpenTelemetry's traces and metrics as OTLP over HTTP, at /v1/traces and /v1/metrics"
        " below it.",
        url("http", "https"),
    ),
    Setting(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "",
        "Headers for that collector: name=value, with commas between them.",
        text,
        secret=True,
    ),
    Setting("OTEL_TRACES_PERCENT", "100", "Share of calls that are traced.", whole(0, 100)),
    Setting("LOG_LEVEL", "info", "How much is logged.", one_of("debug", "info", "warning", "error")),
    Setting(
        "ACCESS_LOG",
        "short",
        "A line in the log for each call: short has method, route, status and time, full also the caller's address,"
        " program and name with us, and bytes; off has none.",
        one_of("off", "short", "full"),
    ),
    Setting("LOG_FORMAT", "json", "One JSON object a line, or text for people.", one_of("json", "text")),
)
