"""Alerts: which channels there are, a test of them, and the log of what was sent."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

import alerts
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


@blueprint.get("/settings/alerts")
def show_alerts() -> str:
    runtime = current_runtime()
    found = runtime.database.read(
        lambda db: alerts.log(db, paging.before(), PAGE + 1),
        one_statement=True,
    )
    return render_template(
        "dashboard/settings/alerts.html",
        channels=CHANNELS,
        configured=alerts.configured(runtime.settings),
        **paging.shown(found, PAGE),
    )


@blueprint.post("/settings/alerts/test")
@needs("admin")
def test_alerts() -> ResponseReturnValue:
    """Queues a message for every channel; the worker sends it, and the log says how that went."""
    runtime, who = current_runtime(), sign_in_guard.operator().email
    channels = alerts.configured(runtime.settings)
    if not channels:
        flash("No channel is configured, so there is nothing to test.")
        return redirect(url_for("dashboard.show_alerts"))
    alerts.send_test(runtime.database, runtime.settings, who, runtime.clock())
    runtime.database.write(lambda db: note(db, runtime.clock(), who, "alerts.test", ", ".join(channels)))
    flash("A test message waits for the worker. Reload in a few seconds to see how it went.")
    return redirect(url_for("dashboard.show_alerts"))
