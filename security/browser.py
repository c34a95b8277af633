"""What a browser may do with our pages, and where it is remembered."""

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SENDER = ("/webhooks/", "/v1/")
MACHINES = (*SENDER, "/api/")


class Sessions(SecureCookieSessionInterface):
    """Flask's signed cookies for people; machines send their credentials with every call and get no session."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path.startswith(MACHINES):
            return self.make_null_session(app)
        return super().open_session(app, request)


def init_app(app: Flask) -> None:
    app.session_interface = Sessions()

    @app.after_request
    def headers(response: Response) -> Response:
        if request.path.startswith(SENDER):
            response.headers["X-Content-Type-Options"] = "nosniff"
            return response
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response
