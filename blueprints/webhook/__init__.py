"""The address that Mixpanel posts cohorts to."""

from flask import Blueprint

blueprint = Blueprint("webhook", __name__)

from blueprints.webhook import receive, refusals  # noqa: E402, F401 - adds the routes

blueprint.before_request(refusals.refuse_when_stopping)
for exception, handler in refusals.HANDLERS.items():
    blueprint.register_error_handler(exception, handler)
