"""What a person at a browser sees."""

from flask import Blueprint

blueprint = Blueprint("dashboard", __name__)

from blueprints.dashboard import welcome  # noqa: E402, F401 - adds the routes
