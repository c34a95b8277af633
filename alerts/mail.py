"""E-mail by SMTP. An error never holds an address, a password or what the mail server said."""

import smtplib
import socket
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from alerts.calls import TIMEOUT, Held, NotDelivered
from config.settings import Settings
from outbound.transport import certificates
from outbound.transport.addresses import Policy, anywhere
from outbound.transport.deadline import current


def sender_of(settings: Settings) -> str:
    """Return the sender of what the relay itself writes; empty where nobody is named."""
    return str(settings.alert_email_from) or str(settings.alert_email_to).split(",")[0]


def send(url: str, mail: EmailMessage, policy: Policy = anywhere) -> None:
    """Hand a mail to the server at this address. Raises NotDelivered."""
    try:
        with Held(policy), _mail_server(url) as server:
            server.send_message(mail)
    except smtplib.SMTPResponseException as error:
        raise NotDelivered(f"the mail server answered {error.smtp_code}") from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({str(code) for code, _said in error.recipients.values()})
        raise NotDelivered(f"the mail server refused every recipient ({', '.join(codes)})") from None
    except ssl.SSLCertVerificationError as error:
        raise NotDelivered(f"no mail was sent: {certificates.reason([error])}") from None
    except (ValueError, smtplib.SMTPException) as error:
        raise NotDelivered(f"no mail was sent ({type(error).__name__})") from None
    except OSError as error:
        raise NotDelivered(f"the mail server could not be reached ({type(error).__name__})") from None


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
