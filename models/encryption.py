"""What every room may say of an encrypted text, also one that knows no cipher."""

from collections.abc import Callable
from typing import Protocol

Digest = Callable[[str, bytes], str]  # of a purpose and a content, under SECRET_KEY


class DecryptionError(Exception):
    """The ciphertext is damaged, or was made under another SECRET_KEY."""


class Encryption(Protocol):
    """Encrypts a text, and decrypts what it encrypted; see security/encryption.py."""

    def encrypt(self, secret: str) -> str: ...
    def decrypt(self, sealed: str) -> str: ...
    def digest(self, purpose: str, content: bytes) -> str: ...
    def __hash__(self) -> int: ...
