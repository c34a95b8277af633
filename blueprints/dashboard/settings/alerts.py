"""Alerts: which channels there are, a test of them with its result in place, and the log of what was sent."""

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, text

import alerts
from alerts import stored_channels
from alerts.stored_channels import StoredChannel
from blueprints import paging
from blueprints.dashboard import blueprint
from runtime import current_runtime
from security import sign_in_guard
from security.audit import note
from security.roles import needs

PAGE = 25

# How each channel is configured: the settings that it needs.
CHANNELS = {
    "email": ("E-mail", ("SMTP_URL", "ALERT_EMAIL_TO"), ("ALERT_EMAIL_FROM",)),
    "slack": ("Slack, or a chat that takes the same JSON", ("ALERT_SLACK_URL",), ()),
    "webhook": ("A webhook of yours, signed", ("ALERT_WEBHOOK_URL",), ("ALERT_WEBHOOK_SECRET",)),
}
WORDS = {"email": "E-mail", "slack": "Slack", "webhook": "Webhook"}

_LAST = text("""
    SELECT a.channel, a.at, a.kind, a.state, a.error, a.attempts, a.sent_at FROM alert a
    WHERE a.id IN (SELECT max(id) FROM alert GROUP BY channel)""")


@dataclass(frozen=True)
class LastMessage:
    """The newest message of a channel."""

    channel: str
    at: int
    kind: str
    state: str
    error: str | None
    attempts: int
    sent_at: int | None


@dataclass(frozen=True)
class Shown:
    """A channel on the page; `stored` is None where the environment configures it."""

    key: str
    name: str
    kind: str
    stored: StoredChannel | None
    last: LastMessage | None


def channels_of(db: Connection) -> list[Shown]:
    """Return every channel with its newest message: those of the environment, then those that admins have added."""
    last = {row.channel: LastMessage(*row) for row in db.execute(_LAST)}
    given = alerts.configured(current_runtime().settings)
    found = [Shown(key, WORDS[key], key, None, last.get(key)) for key in given]
    stored = stored_channels.listed(db)
    return found + [Shown(one.key, one.name, one.kind, one, last.get(one.key)) for one in stored]


@blueprint.get("/settings/alerts")
def show_alerts() -> str:
    def read(db: Connection) -> tuple[list[alerts.Logged], list[Shown]]:
        return alerts.log(db, paging.before(), PAGE + 1), channels_of(db)

    found, channels = current_runtime().database.read(read)
    return render_template(
        "dashboard/settings/alerts.html",
        settings_of=CHANNELS,
        words=WORDS,
        channels=channels,
        names={channel.key: channel.name for channel in channels},
        **paging.shown(found, PAGE),
    )


@blueprint.get("/settings/alerts/now")
def alerts_now() -> str:
    """The channels; they ask again while a message is on its way."""
    channels = current_runtime().database.read(channels_of)
    return render_template("dashboard/settings/_channels.html", channels=channels, words=WORDS)


@blueprint.post("/settings/alerts/test")
@needs("admin")
def test_alerts() -> ResponseReturnValue:
    """Queue a message for one channel, or for all; the worker sends it, and the page says how that went."""
    runtime, who = current_runtime(), sign_in_guard.operator().email
    there = [channel.key for channel in runtime.database.read(channels_of)]
    wanted = [key for key in there if request.form.get("channel") in {None, "", key}]
    if not wanted:
        flash("No channel is configured, so there is nothing to test.")
        return redirect(url_for("dashboard.show_alerts"))
    alerts.send_test(runtime.database, runtime.settings, who, runtime.clock(), wanted)
    runtime.database.write(lambda db: note(db, runtime.clock(), who, "alerts.test", ", ".join(wanted)))
    return redirect(url_for("dashboard.show_alerts", _anchor="channels"))
