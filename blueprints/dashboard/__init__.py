"""What a person at a browser sees: one module a noun, routes and read queries together.

A fragment that refreshes itself has its own URL and is the same partial that its page includes.
"""

from flask import Blueprint

blueprint = Blueprint("dashboard", __name__)
sign = Blueprint("sign", __name__)  # the pages that lead in

from blueprints.dashboard import (  # noqa: E402 - they add the routes
    account,
    audit,
    cohort_guard,
    cohort_head,
    cohort_page,
    cohort_tabs,
    cohorts,
    connection_changes,
    connections,
    erasures,
    failures,
    new_connection,
    overview,
    people,
    session_members,
    sessions,
    settings,
    settings_alerts,
    settings_operators,
    settings_tokens,
    show,
    signing,
)

for name, filter_ in show.FILTERS.items():
    blueprint.add_app_template_filter(filter_, name)
blueprint.app_context_processor(show.surroundings)

__all__ = [
    "account",
    "audit",
    "blueprint",
    "cohort_guard",
    "cohort_head",
    "cohort_page",
    "cohort_tabs",
    "cohorts",
    "connection_changes",
    "connections",
    "erasures",
    "failures",
    "new_connection",
    "overview",
    "people",
    "session_members",
    "sessions",
    "settings",
    "settings_alerts",
    "settings_operators",
    "settings_tokens",
    "sign",
    "signing",
]
