"""The ways out: e-mail by SMTP, a Slack-compatible webhook, and a webhook that we sign. One call each, within limits.

An error never holds an address, a password or what the other side said: a webhook's URL is a secret.
"""

import hashlib
import hmac
import json
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote, urlsplit

import requests

from alerts.messages import Logged
from config.clock import SECOND, iso
from config.settings import Settings
from outbound.transport.addresses import Policy, anywhere, hold
from outbound.transport.deadline import Deadline, WatchedAdapter, current

TIMEOUT = 10  # seconds for each step
WITHIN = 30.0  # seconds for the whole of a message, however slowly the other side talks
SIGNATURE = "X-Cohort-Relay-Signature"
DELIVERY = "X-Cohort-Relay-Delivery"


class NotDelivered(Exception):
    """The channel did not take the message; says in a few words why."""


@dataclass(frozen=True)
class Way:
    """How a message leaves, with the secrets of its channel: only in memory. `url` is that of the mail server or the
    webhook; `policy` says at which addresses that may be."""

    kind: str
    url: str
    to: str = ""
    sender: str = ""
    secret: str = ""
    earlier_secret: str = ""  # signs beside it for a while after a rotation
    policy: Policy = anywhere

    def __repr__(self) -> str:
        return f"Way({self.kind!r}, …)"


def of_settings(settings: Settings) -> dict[str, Way]:
    """Return the channels that the environment configures, as rows name them: `email`, `slack`, `webhook`."""
    sender = settings.alert_email_from or settings.alert_email_to.split(",")[0]
    wanted = {
        "email": Way("email", settings.smtp_url, settings.alert_email_to, sender),
        "slack": Way("slack", settings.alert_slack_url),
        "webhook": Way("webhook", settings.alert_webhook_url, secret=settings.alert_webhook_secret),
    }
    return {name: way for name, way in wanted.items() if way.url and (way.to or name != "email")}


def configured(settings: Settings) -> list[str]:
    """Return the names of the channels that the environment configures."""
    return list(of_settings(settings))


def deliver(way: Way | None, alert: Logged, now: int) -> None:
    """Hand the message to its channel. Raises NotDelivered."""
    if way is None:
        raise NotDelivered("this channel is not configured any more")
    _WAYS[way.kind](way, alert, now)


class _Held(Deadline):
    """A deadline that lets go of a connection whose other end must not be called."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(WITHIN)
        self._policy = policy

    def show(self, connected: socket.socket) -> None:
        hold(connected, self._policy)
        super().show(connected)


def signature(secrets: Sequence[str], seconds: int, body: bytes) -> str:
    """Return the header's value: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`, with a `v1` for each secret
    that is not empty."""
    signed = b"%d." % seconds + body
    digests = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets if secret]
    return ",".join([f"t={seconds}", *(f"v1={digest}" for digest in digests)])


# --- e-mail


def _email(way: Way, alert: Logged, _now: int) -> None:
    try:
        with _Held(way.policy), _mail_server(way.url) as server:
            server.send_message(_mail(way, alert))
    except smtplib.SMTPResponseException as error:
        raise NotDelivered(f"the mail server answered {error.smtp_code}") from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({str(code) for code, _said in error.recipients.values()})
        raise NotDelivered(f"the mail server refused every recipient ({', '.join(codes)})") from None
    except (OSError, ValueError, smtplib.SMTPException) as error:
        raise NotDelivered(f"no mail was sent ({type(error).__name__})") from None


class _Watched(smtplib.SMTP):
    """Shows its socket to the deadline, before TLS."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connected: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]  # not in the stubs
        if (deadline := current()) is not None:
            deadline.show(connected)
        return connected


class _WatchedTLS(smtplib.SMTP_SSL, _Watched):
    """The same with TLS from the beginning."""


def _mail_server(url: str) -> smtplib.SMTP:
    """A server that is connected, encrypted where it can be, and signed in to where the URL has a user."""
    parts = urlsplit(url)
    tls, host = ssl.create_default_context(), parts.hostname or ""
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = _WatchedTLS(host, parts.port or 465, timeout=TIMEOUT, context=tls)
    else:
        server = _Watched(host, parts.port or 587, timeout=TIMEOUT)
    try:
        server.ehlo()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=tls)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _mail(way: Way, alert: Logged) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = alert.title
    mail["From"] = way.sender
    mail["To"] = way.to
    mail["Date"] = formatdate(alert.at / SECOND)
    mail["Message-ID"] = f"<alert-{alert.id}-{alert.at}@{way.sender.rpartition('@')[2].rstrip('>')}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{alert.message}\n\n{alert.link}\n")
    return mail


# --- webhooks


def _slack(way: Way, alert: Logged, _now: int) -> None:
    text = f"*{_slack_text(alert.title)}*\n{_slack_text(alert.message)}\n<{_slack_text(alert.link)}>"
    _post(way, json.dumps({"text": text}).encode(), {})


def _slack_text(words: str) -> str:
    """Slack's three control characters; a cohort named <!channel> rings nobody's bell."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _webhook(way: Way, alert: Logged, now: int) -> None:
    body = json.dumps(
        {
            "kind": alert.kind,
            "subject": alert.subject,
            "title": alert.title,
            "message": alert.message,
            "link": alert.link,
            "at": iso(alert.at),
        }
    ).encode()
    headers = {DELIVERY: str(alert.id)}
    if way.secret:
        headers[SIGNATURE] = signature((way.secret, way.earlier_secret), now // SECOND, body)
    _post(way, body, headers)


def _post(way: Way, body: bytes, headers: dict[str, str]) -> None:
    headers = {"Content-Type": "application/json", "User-Agent": "cohort-relay"} | headers
    try:
        with _Held(way.policy) as deadline, requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, WatchedAdapter())
            with session.post(
                way.url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
            ) as answer:
                status = answer.status_code
    except (requests.RequestException, ValueError) as error:
        raise NotDelivered(f"no answer ({type(error).__name__})") from None
    if deadline.over:  # what looks like the end of an answer was our own cut
        raise NotDelivered("no answer within the time limit")
    if not 200 <= status < 300:  # noqa: PLR2004 - success as HTTP has it
        raise NotDelivered(f"answered {status}")


_WAYS: dict[str, Callable[[Way, Logged, int], Any]] = {"email": _email, "slack": _slack, "webhook": _webhook}
