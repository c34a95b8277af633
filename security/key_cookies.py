"""Cookies under the key of now; those that were signed under an earlier one are still read."""

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from config.settings import Settings


class KeyCookies(SecureCookieSessionInterface):
    """Asks for the keys at every call, so that a rotation signs nobody out."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        current, *old = self._settings.keys_now()
        app.secret_key, app.config["SECRET_KEY_FALLBACKS"] = current, old[::-1]
        return super().get_signing_serializer(app)
