"""The request that was refused, sealed: what came, without what opens a door. Its body holds member data."""

import zlib

import msgspec

from models.encryption import DecryptionError, Encryption

MOST_BYTES = 64 * 1024  # of a body
MOST_HEADERS = 50
LONGEST_HEADER = 500  # characters
# Parts of a header's name whose value may open a door.
SECRET = ("auth", "cookie", "credential", "csrf", "key", "password", "secret", "session", "signature", "token")


class RefusedRequest(msgspec.Struct, frozen=True):
    """A request as it came: `body` is its beginning, unpacked; `size` counts all of it, and is None where it was not
    read."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    size: int | None = None

    @property
    def is_whole(self) -> bool:
        return self.size is not None and len(self.body) == self.size


def kept(
    method: str, path: str, headers: list[tuple[str, str]], body: bytes | None, *, with_body: bool = True
) -> RefusedRequest:
    """Return what is kept of a request; without its body where the connection keeps less of people than it is sent,
    because a body that was refused may not be readable enough to take that out."""
    plain = [(name, value[:LONGEST_HEADER]) for name, value in headers if not _is_secret(name)][:MOST_HEADERS]
    beginning = b"" if body is None or not with_body else body[:MOST_BYTES]
    return RefusedRequest(method, path[:LONGEST_HEADER], plain, beginning, None if body is None else len(body))


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET)


def seal(cipher: Encryption, request: RefusedRequest) -> bytes:
    return cipher.encrypt_bytes(zlib.compress(msgspec.json.encode(request)))


def unseal(cipher: Encryption, sealed: bytes) -> RefusedRequest | None:
    """Return the request; None where it was sealed under another SECRET_KEY."""
    try:
        return msgspec.json.decode(zlib.decompress(cipher.decrypt_bytes(sealed)), type=RefusedRequest)
    except DecryptionError:
        return None
