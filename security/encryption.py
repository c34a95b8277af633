"""Credentials that we must be able to read again, encrypted: Mixpanel's tokens and service accounts.

Fernet (AES in CBC mode with an HMAC) under a key derived from SECRET_KEY, which is never in the database. A copy of the
database alone opens nothing.
"""

import base64
import hmac

from cryptography.fernet import Fernet, InvalidToken

from models.encryption import DecryptionError
from security.secrets import begun_digest, keyed_digest

PURPOSE = "sealed-credentials"


class Cipher:
    """Encrypts texts, and decrypts what it encrypted."""

    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key
        self._key = base64.urlsafe_b64encode(keyed_digest(secret_key, PURPOSE, ""))
        self._digests: dict[str, hmac.HMAC] = {}  # by purpose, of which there are a few

    def encrypt(self, secret: str) -> str:
        """Return ciphertext, which differs each time."""
        return self.encrypt_bytes(secret.encode()).decode()

    def decrypt(self, sealed: str) -> str:
        """Return the plain text. Raises DecryptionError."""
        return self.decrypt_bytes(sealed.encode()).decode()

    def encrypt_bytes(self, secret: bytes) -> bytes:
        return Fernet(self._key).encrypt(secret)

    def decrypt_bytes(self, sealed: bytes) -> bytes:
        """Return the plain bytes. Raises DecryptionError."""
        try:
            return Fernet(self._key).decrypt(sealed)
        except InvalidToken:
            raise DecryptionError("stored credentials cannot be read with this SECRET_KEY") from None

    def digest(self, purpose: str, content: bytes) -> str:
        """Return a digest of `content` under the same SECRET_KEY, in hexadecimal. Those of two purposes never meet."""
        if purpose not in self._digests:
            self._digests[purpose] = begun_digest(self._secret_key, purpose)
        digest = self._digests[purpose].copy()  # two thirds of the time of a new one
        digest.update(content)
        return digest.hexdigest()
