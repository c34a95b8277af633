"""Whether the process lives, whether it can serve, and its numbers."""

from flask import Blueprint

blueprint = Blueprint("health", __name__)

from blueprints.health import checks, metrics  # noqa: E402, F401 - adds the routes
