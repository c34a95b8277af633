"""Passwords and tokens that we make: 256 random bits, shown once, stored as a keyed digest.

Because they are random, a fast keyed digest compared in constant time is right; a slow password hash would cost as
much as ten whole pages at every call.
"""

import hmac
import secrets
from collections.abc import Sequence


def new_secret() -> str:
    """43 characters of URL-safe text from 256 random bits."""
    return secrets.token_urlsafe(32)


def keyed_digest(key: str, purpose: str, secret: str | bytes) -> bytes:
    """HMAC-SHA256 of `secret`; `purpose` keeps a digest of one kind from being used as another."""
    content = secret if isinstance(secret, bytes) else secret.encode("utf-8", "surrogatepass")
    return hmac.digest(key.encode(), purpose.encode() + b"\0" + content, "sha256")  # at once: a fifth of the time


def keyed_digests(keys: Sequence[str], purpose: str, secret: str | bytes) -> list[bytes]:
    """Return the digest under each key, that of now first: a secret may have been stored under an earlier one."""
    return [keyed_digest(key, purpose, secret) for key in keys]


def key_id(key: str) -> int:
    """Return a number by which rows say under which key their digest is; nobody can tell the key from it."""
    return int.from_bytes(keyed_digest(key, "key-id", "")[:4], "big")


def begun_digest(key: str, purpose: str) -> hmac.HMAC:
    """Return what becomes `keyed_digest` of a content once a copy of it is updated with that."""
    return hmac.new(key.encode(), purpose.encode() + b"\0", "sha256")


def matches(digest: bytes, candidates: list[bytes]) -> int | None:
    """Return which of `candidates` equals `digest`, comparing all of them in constant time."""
    found = None
    for place, candidate in enumerate(candidates):
        if hmac.compare_digest(digest, candidate):
            found = place
    return found
