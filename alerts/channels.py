"""The ways out: e-mail by SMTP, a Slack-compatible webhook, and a webhook that we sign. One call each, within limits.

An error never holds an address, a password or what the other side said: a webhook's URL is a secret.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

import requests

from alerts import mail
from alerts.calls import TIMEOUT, Held, NotDelivered
from alerts.messages import Logged
from config.clock import SECOND, iso
from config.settings import Settings
from outbound.transport.addresses import Policy, anywhere
from outbound.transport.deadline import WatchedAdapter

SIGNATURE = "X-Cohort-Relay-Signature"
DELIVERY = "X-Cohort-Relay-Delivery"


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
    wanted = {
        "email": Way("email", settings.smtp_url, settings.alert_email_to, mail.sender_of(settings)),
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


def signature(secrets: Sequence[str], seconds: int, body: bytes) -> str:
    """Return the header's value: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`, with a `v1` for each secret
    that is not empty."""
    signed = b"%d." % seconds + body
    digests = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets if secret]
    return ",".join([f"t={seconds}", *(f"v1={digest}" for digest in digests)])


# --- e-mail


def _email(way: Way, alert: Logged, _now: int) -> None:
    mail.send(way.url, _mail(way, alert), way.policy)


def _mail(way: Way, alert: Logged) -> EmailMessage:
    written = EmailMessage()
    written["Subject"] = alert.title
    written["From"] = way.sender
    written["To"] = way.to
    written["Date"] = formatdate(alert.at / SECOND)
    written["Message-ID"] = f"<alert-{alert.id}-{alert.at}@{way.sender.rpartition('@')[2].rstrip('>')}>"
    written["Auto-Submitted"] = "auto-generated"
    written.set_content(f"{alert.message}\n\n{alert.link}\n")
    return written


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
        with Held(way.policy) as deadline, requests.Session() as session:
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
