"""What a browser may do with our pages, and where it is remembered."""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from config.settings import Settings
from security.sign_in_guard import csrf

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# What no page of ours uses; copying (the clipboard) stays allowed to ourselves.
FEATURES = ", ".join(
    f"{option}=()"
    for option in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "screen-wake-lock",
        "serial",
        "usb",
        "xr-spatial-tracking",
    )
)
HTTPS_FOR = 365 * 24 * 3600  # seconds for which a browser that has seen us by https comes by nothing else
NAME = "cohort-relay"
SENDER = ("/webhooks/", "/v1/")
MACHINES = (*SENDER, "/api/")


class Sessions(SecureCookieSessionInterface):
    """Flask's signed cookies for people; machines send their credentials with every call and get no session."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path.startswith(MACHINES):
            return self.make_null_session(app)
        return super().open_session(app, request)


def init_app(app: Flask, settings: Settings) -> None:
    app.session_interface = Sessions()
    app.config.update(
        SESSION_COOKIE_NAME="cohort_relay",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https://"),
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.sign_in_idle_hours),
        WTF_CSRF_CHECK_DEFAULT=False,  # the guards ask for it, where a browser calls
        WTF_CSRF_TIME_LIMIT=None,  # as long as the sign-in itself: a form left open over lunch keeps what was typed
        WTF_CSRF_SSL_STRICT=False,  # behind a proxy the scheme is only known where TRUSTED_PROXIES says so
    )
    csrf.init_app(app)
    is_https, is_trusted = settings.public_url.startswith("https://"), _is_trustworthy(settings.public_url)

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers["Server"] = NAME  # instead of the server's own name
        if is_https:
            response.headers.setdefault("Strict-Transport-Security", f"max-age={HTTPS_FOR}")
        if request.path.startswith(SENDER):
            response.headers["X-Content-Type-Options"] = "nosniff"
            return response
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Permissions-Policy", FEATURES)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if is_trusted:
            response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if not request.path.startswith((*MACHINES, "/static/")):
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


def _is_trustworthy(url: str) -> bool:
    """Tell whether a browser keeps other pages' windows from ours at this address; elsewhere it would complain of the
    header in its console."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in {"localhost", "127.0.0.1", "::1"}
