"""What a person at a browser sees: one module a noun, routes and read queries together.

A fragment that refreshes itself has its own URL and is the same partial that its page includes.
"""

from flask import Blueprint

from blueprints import formatting

blueprint = Blueprint("dashboard", __name__)
sign = Blueprint("sign", __name__)  # the pages that lead in

from blueprints.dashboard import (  # noqa: E402 - they add the routes
    account,
    audit,
    cohorts,
    connections,
    destinations,
    erasures,
    failures,
    forgotten_password,
    join,
    kept_about_people,
    overview,
    passkey_sign_in,
    passkeys,
    people,
    refused_requests,
    search,
    second_factor,
    sessions,
    settings,
    sign_in,
    single_sign_on,
)

for name, filter_ in formatting.FILTERS.items():
    blueprint.add_app_template_filter(filter_, name)
blueprint.app_context_processor(formatting.surroundings)

__all__ = [
    "account",
    "audit",
    "blueprint",
    "cohorts",
    "connections",
    "destinations",
    "erasures",
    "failures",
    "forgotten_password",
    "join",
    "kept_about_people",
    "overview",
    "passkey_sign_in",
    "passkeys",
    "people",
    "refused_requests",
    "search",
    "second_factor",
    "sessions",
    "settings",
    "sign",
    "sign_in",
    "single_sign_on",
]
