"""The way to what a call to Mixpanel needs."""

from flask import current_app

from outbound.desk import Desk


def desk() -> Desk:
    found: Desk = current_app.extensions["desk"]
    return found
