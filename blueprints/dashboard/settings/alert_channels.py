"""Channels of alerts that admins add, change and remove in the browser."""

from functools import partial
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, text

from alerts import channel_secrets, stored_channels
from alerts.stored_channels import KINDS, STATES, ChannelDraft, StoredChannel, WrongChannel
from blueprints import urls
from blueprints.dashboard import blueprint
from blueprints.dashboard.settings.alerts import WORDS
from runtime import current_runtime
from security import handover, sign_in_guard
from security.audit import note
from security.roles import needs

MOST_COHORTS = 500  # to choose from
_COHORTS = text("SELECT id, coalesce(name, mixpanel_cohort_id) AS name FROM cohort ORDER BY 2, 1 LIMIT :most")


@blueprint.get("/settings/alerts/channels/new")
@needs("admin")
def new_channel() -> str:
    kind = request.args.get("kind", "")
    return _form(None, {"kind": kind if kind in KINDS else KINDS[0], "states": list(STATES)})


@blueprint.post("/settings/alerts/channels/new")
@needs("admin")
def add_channel() -> ResponseReturnValue:
    runtime, typed = current_runtime(), _typed()
    try:
        draft = stored_channels.checked(_draft(typed), runtime.settings, is_new=True)
        runtime.database.write(partial(_add, draft=draft))
    except WrongChannel as error:
        return _form(None, typed, error), 422
    flash(f"{draft.name} is added. Send a test to see that it arrives.")
    return _back()


def _add(db: Connection, draft: ChannelDraft) -> None:
    runtime, who = current_runtime(), sign_in_guard.operator().email
    stored_channels.add(db, runtime.cipher, draft, who, runtime.clock())
    note(db, runtime.clock(), who, "alert_channel.add", draft.name, after=_noted(draft))


@blueprint.get("/settings/alerts/channels/<int:channel_id>")
@needs("admin")
def edit_channel(channel_id: int) -> str:
    known = _find(channel_id)
    typed = {"name": known.name, "kind": known.kind, "to": known.recipients, "cohorts": known.cohorts}
    return _form(known, typed | {"states": known.states or list(STATES)})


@blueprint.post("/settings/alerts/channels/<int:channel_id>")
@needs("admin")
def change_channel(channel_id: int) -> ResponseReturnValue:
    runtime, known, typed = current_runtime(), _find(channel_id), _typed()
    try:
        draft = stored_channels.checked(_draft(typed | {"kind": known.kind}), runtime.settings, is_new=False)
        runtime.database.write(partial(_change, known=known, draft=draft))
    except WrongChannel as error:
        return _form(known, typed | {"kind": known.kind}, error), 422
    flash(f"{draft.name} is changed.")
    return _back()


def _change(db: Connection, known: StoredChannel, draft: ChannelDraft) -> None:
    runtime, who = current_runtime(), sign_in_guard.operator().email
    stored_channels.change(db, runtime.cipher, known, draft, runtime.clock())
    note(db, runtime.clock(), who, "alert_channel.change", known.name, after=_noted(draft))


@blueprint.post("/settings/alerts/channels/<int:channel_id>/rotate")
@needs("admin")
def rotate_channel(channel_id: int) -> ResponseReturnValue:
    """A new key of the signature; the page that it leads to shows it once."""
    known = _find(channel_id)
    try:
        secret = current_runtime().database.write(partial(_rotate, known=known))
    except WrongChannel as error:
        flash(str(error), "needs-you")
        return redirect(url_for("dashboard.edit_channel", channel_id=channel_id), 303)
    once = handover.leave("secret", {"channel": channel_id, "secret": secret})
    return redirect(url_for("dashboard.show_channel_secret", channel_id=channel_id, once=once), 303)


def _rotate(db: Connection, known: StoredChannel) -> str:
    runtime, who = current_runtime(), sign_in_guard.operator().email
    secret = channel_secrets.rotate(db, runtime.cipher, known, runtime.clock())
    note(db, runtime.clock(), who, "alert_channel.rotate", known.name)
    return secret


@blueprint.get("/settings/alerts/channels/<int:channel_id>/secret")
@needs("admin")
def show_channel_secret(channel_id: int) -> ResponseReturnValue:
    """The key that was made, for whoever had it made, this once. A reload leads to the channel."""
    known = _find(channel_id)
    kept = handover.take("secret", request.args.get("once", "")) if request.method == "GET" else None
    if not isinstance(kept, dict) or kept.get("channel") != channel_id:
        flash("A key is shown once. If it got lost, make a new one.")
        return redirect(url_for("dashboard.edit_channel", channel_id=channel_id))
    secret, overlap = kept["secret"], channel_secrets.OVERLAP
    return render_template("dashboard/settings/channel_secret.html", channel=known, secret=secret, overlap=overlap)


@blueprint.get("/settings/alerts/channels/<int:channel_id>/remove")
@needs("admin")
def ask_remove_channel(channel_id: int) -> str:
    return render_template("dashboard/settings/remove_channel.html", channel=_find(channel_id))


@blueprint.post("/settings/alerts/channels/<int:channel_id>/remove")
@needs("admin")
def remove_channel(channel_id: int) -> ResponseReturnValue:
    runtime, known, who = current_runtime(), _find(channel_id), sign_in_guard.operator().email

    def write(db: Connection) -> None:
        if stored_channels.remove(db, known):
            note(db, runtime.clock(), who, "alert_channel.remove", known.name)

    runtime.database.write(write)
    flash(f"{known.name} is removed. The log of what was sent stays.")
    return _back()


def _noted(draft: ChannelDraft) -> dict[str, Any]:
    return {"kind": draft.kind, "states": draft.states or "all", "cohorts": draft.cohorts or "all"}


def _find(channel_id: int) -> StoredChannel:
    found = current_runtime().database.read(lambda db: stored_channels.by_id(db, channel_id), one_statement=True)
    return found or abort(404)


def _typed() -> dict[str, Any]:
    plain = {name: urls.storable(request.form.get(name, "")) for name in ("name", "kind", "url", "to", "secret")}
    chosen = [number for given in request.form.getlist("cohorts") if (number := urls.key(given))]
    return plain | {"states": request.form.getlist("states"), "cohorts": chosen}


def _draft(typed: dict[str, Any]) -> ChannelDraft:
    """An empty address or secret stays as it was."""
    url, secret = typed["url"].strip() or None, typed["secret"] or None
    return ChannelDraft(typed["name"], typed["kind"], url, typed["to"], secret, typed["states"], typed["cohorts"])


def _form(known: StoredChannel | None, typed: dict[str, Any], wrong: WrongChannel | None = None) -> str:
    runtime = current_runtime()
    cohorts = runtime.database.read(
        lambda db: [(row.id, row.name) for row in db.execute(_COHORTS, {"most": MOST_COHORTS})], one_statement=True
    )
    return render_template(
        "dashboard/settings/channel.html",
        known=known,
        typed=typed,
        wrong=wrong,
        cohorts=cohorts,
        states=STATES,
        kind=WORDS.get(typed["kind"], "Channel"),
        has_mail_server=bool(runtime.settings.smtp_url),
    )


def _back() -> ResponseReturnValue:
    return redirect(url_for("dashboard.show_alerts"), 303)
