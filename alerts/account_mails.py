"""Mails to operators about their own account: an invitation, and a link for a new password."""

from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import urlsplit

from alerts import mail
from alerts.calls import NotDelivered
from config.clock import SECOND
from config.settings import Settings

_SUBJECTS = {"invitation": "Your account in Cohort Relay", "password": "A new password for Cohort Relay"}
_WORDS = {
    "invitation": """You are invited to Cohort Relay at {url}.

Choose a password here; the link works once, for 7 days:

{link}

You did not expect this? Then nothing has to be done.
""",
    "password": """Choose a new password for {email} in Cohort Relay at {url} here; the link works once, for 24 hours:

{link}

You did not ask for this? Then your password stays as it is, and nothing has to be done.
""",
}


def can_be_sent(settings: Settings) -> bool:
    """Tell whether there is a mail server."""
    return bool(settings.smtp_url)


def send(settings: Settings, kind: str, email: str, link: str, now: int) -> None:
    """Send a link, `kind` being one of `security.one_time_links`, to an operator's e-mail. Raises NotDelivered."""
    if not can_be_sent(settings):
        raise NotDelivered("no mail server is set: SMTP_URL")
    mail.send(settings.smtp_url, _written(settings, kind, email, link, now))


def _written(settings: Settings, kind: str, email: str, link: str, now: int) -> EmailMessage:
    host = urlsplit(settings.public_url).hostname or "localhost"
    written = EmailMessage()
    written["Subject"] = _SUBJECTS[kind]
    written["From"] = mail.sender_of(settings) or f"cohort-relay@{host}"
    written["To"] = email
    written["Date"] = formatdate(now / SECOND)
    written["Message-ID"] = make_msgid(domain=host)
    written["Auto-Submitted"] = "auto-generated"
    written.set_content(_WORDS[kind].format(url=settings.public_url, email=email, link=link))
    return written
