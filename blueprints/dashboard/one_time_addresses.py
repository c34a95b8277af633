"""The address of a one-time link, as it stands in a mail or is handed over."""

from flask import url_for

from runtime import current_runtime


def address_of(secret: str) -> str:
    return f"{current_runtime().settings.public_url.rstrip('/')}{url_for('sign.join_form', key=secret)}"
