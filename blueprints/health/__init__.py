"""Whether the process lives, whether it can serve, how all stands, and its numbers."""

from flask import Blueprint

blueprint = Blueprint("health", __name__)

from blueprints.health import checks, metrics, status  # noqa: E402, F401 - adds the routes
