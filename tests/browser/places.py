"""Every page of the dashboard with real ids in it. A new route with an argument that nobody can fill fails loudly."""

from collections.abc import Iterator
from typing import Any

from flask import Flask
from sqlalchemy import Connection, text
from werkzeug.routing import Rule

# Where the ids of a path come from, by the path's first word and the argument's name.
SAMPLES = {
    ("cohorts", "cohort_id"): "SELECT id FROM cohort ORDER BY member_count DESC LIMIT 1",
    ("held", "cohort_id"): """SELECT coalesce((SELECT max(cohort_id) FROM sync_session WHERE status = 'held'),
        (SELECT min(id) FROM cohort))""",
    ("sessions", "session_id"): "SELECT id FROM sync_session ORDER BY pages_received DESC, id DESC LIMIT 1",
    ("failures", "failure_id"): "SELECT id FROM failure ORDER BY id DESC LIMIT 1",
    ("people", "person_id"): """SELECT p.id FROM person p JOIN membership m ON m.person_id = p.id
        ORDER BY m.entry_number DESC, p.id LIMIT 1""",
    ("connections", "name"): "SELECT name FROM connection ORDER BY name LIMIT 1",
    (
        "connections",
        "password_id",
    ): """SELECT p.id FROM connection_password p JOIN connection c ON c.id = p.connection_id
        WHERE p.retired_at IS NULL ORDER BY c.name, p.id LIMIT 1""",
    ("destinations", "destination_id"): "SELECT id FROM destination ORDER BY name LIMIT 1",
    ("destinations", "subscription_id"): """SELECT coalesce((SELECT min(subscription_id) FROM attempt),
        (SELECT min(id) FROM subscription))""",
    ("destinations", "attempt_id"): "SELECT id FROM attempt ORDER BY subscription_id, id LIMIT 1",
    ("account", "sign_in_id"): "SELECT id FROM sign_in ORDER BY id LIMIT 1",
    ("account", "passkey_id"): """SELECT p.id FROM passkey p JOIN operator o ON o.id = p.operator_id
        ORDER BY CASE o.role WHEN 'admin' THEN 0 ELSE 1 END, p.id LIMIT 1""",
    ("settings", "operator_id"): "SELECT id FROM operator ORDER BY email DESC LIMIT 1",
    ("settings", "channel_id"): "SELECT id FROM alert_channel ORDER BY id LIMIT 1",
    ("settings", "link_id"): "SELECT id FROM one_time_link ORDER BY id LIMIT 1",
    ("settings", "erasure_id"): "SELECT id FROM erasure ORDER BY id LIMIT 1",
    ("settings", "token_id"): "SELECT id FROM api_token ORDER BY id LIMIT 1",
    ("settings", "name"): "SELECT name FROM api_token ORDER BY id LIMIT 1",
    ("send", "delivery_id"): "SELECT id FROM delivery ORDER BY coalesce(failed, 0) DESC, id LIMIT 1",
    ("send", "name"): "SELECT name FROM project ORDER BY name LIMIT 1",
    ("send", "cohort_id"): "SELECT id FROM cohort ORDER BY member_count DESC LIMIT 1",
    ("send", "saved_id"): "SELECT id FROM saved_request ORDER BY id LIMIT 1",
    ("send", "import_id"): "SELECT id FROM import_job ORDER BY refused DESC, id LIMIT 1",
    ("send", "comparison_id"): "SELECT id FROM comparison ORDER BY state, id LIMIT 1",
}
CHOICES = {"kind": ("received", "entered", "left", "unchanged", "rejected"), "side": ("missing", "extra")}
# Pages whose looks depend on their states: the same page again for these ids.
STATES = {
    "/send/imports": "SELECT id FROM import_job ORDER BY id",
    "/destinations": "SELECT id FROM destination ORDER BY id",
    "/destinations/subscriptions": "SELECT id FROM subscription ORDER BY id",
    "/send/comparisons": "SELECT id FROM comparison ORDER BY id",
    "/send/saved": "SELECT id FROM saved_request ORDER BY id",
}
DOWNLOADS = (".csv", ".ndjson", ".zip", ".json", "/answer")
FOR_PROXIES = ("/allowed",)  # nothing but a status
# Parts of pages that refresh themselves; they are looked at within their pages.
FRAGMENTS = ("/needing", "/now", "/waiting", "/simulated", "/landing")
# The composer makes a page of each call; these have every kind of field.
COMPOSERS = [
    f"/send?operation={one}" for one in ("import-events&example=1", "profile-set", "engage-query", "raw-request")
]


def rules(app: Flask, method: str) -> Iterator[Rule]:
    """The dashboard's rules that take `method`."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[0] in {"dashboard", "outbound", "sign"} and method in (rule.methods or set()):
            yield rule


def filled(rule: Rule, samples: dict[tuple[str, str], Any]) -> Iterator[str]:
    """The rule's paths with real ids; none where nothing of that kind is stored."""
    room = "held" if "/held" in rule.rule else rule.rule.split("/")[1]
    values: list[dict[str, Any]] = [{}]
    for name in sorted(rule.arguments):
        choices = CHOICES.get(name) or (samples[room, name],)
        values = [known | {name: choice} for known in values for choice in choices]
    for one in values:
        if None in one.values():
            continue
        built = rule.build(one, append_unknown=False)
        assert built is not None, rule.rule
        yield built[1]


def samples(db: Connection) -> dict[tuple[str, str], Any]:
    """Real ids; None where there is nothing of that kind."""
    return {key: db.execute(text(sql)).scalar() for key, sql in SAMPLES.items()}


def pages(app: Flask, *, signed_in: bool = True) -> list[str]:
    """Every page and every fragment that can be looked at, without downloads."""
    found = app.extensions["runtime"].database.read(samples)
    wanted = ("dashboard", "outbound") if signed_in else ("sign",)
    known = [rule for rule in rules(app, "GET") if rule.endpoint.split(".")[0] in wanted]
    paths = [path for rule in known for path in filled(rule, found)]
    paths += [*COMPOSERS, *app.extensions["runtime"].database.read(_states)] if signed_in else []
    return sorted({path for path in paths if not path.endswith(DOWNLOADS + FOR_PROXIES)})


def whole_pages(app: Flask, *, signed_in: bool = True) -> list[str]:
    """Every page, without the fragments, as a browser opens them."""
    return [path for path in pages(app, signed_in=signed_in) if not path.endswith(FRAGMENTS)]


def _states(db: Connection) -> list[str]:
    return [f"{room}/{one}" for room, sql in STATES.items() for one in db.execute(text(sql)).scalars()]
