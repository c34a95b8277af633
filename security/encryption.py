"""Credentials that we must be able to read again, sealed: Mixpanel's tokens and service accounts.

Fernet (AES in CBC mode with an HMAC) under a key derived from SECRET_KEY, which is never in the database. A copy of the
database alone opens nothing.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken

from models.sealed import CannotOpen as CannotOpen  # noqa: PLC0414 - whoever has a box names its error from here
from security.secrets import keyed_digest

PURPOSE = "sealed-credentials"


class Box:
    """Seals texts, and opens what it sealed."""

    def __init__(self, secret_key: str) -> None:
        self._key = base64.urlsafe_b64encode(keyed_digest(secret_key, PURPOSE, ""))

    def seal(self, secret: str) -> str:
        """Ciphertext that differs each time."""
        return self.seal_bytes(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """What was sealed. Raises CannotOpen."""
        return self.open_bytes(sealed.encode()).decode()

    def seal_bytes(self, secret: bytes) -> bytes:
        return Fernet(self._key).encrypt(secret)

    def open_bytes(self, sealed: bytes) -> bytes:
        """What was sealed. Raises CannotOpen."""
        try:
            return Fernet(self._key).decrypt(sealed)
        except InvalidToken:
            raise CannotOpen("stored credentials cannot be read with this SECRET_KEY") from None
