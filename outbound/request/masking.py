"""Credentials taken out of whatever is shown, kept or logged."""

import base64
import json
from typing import Any
from urllib.parse import quote, quote_plus

from outbound.operations.types import Composed
from outbound.projects import Credentials

MASK = "••••"
SHORTEST = 4  # a shorter secret would also mask what only looks like it


class Mask:
    """Replaces every credential, in each of the ways that it may be written, by four dots."""

    def __init__(self, *secrets: str) -> None:
        ways = {way for secret in secrets if len(secret) >= SHORTEST for way in _ways(secret)}
        self._ways = sorted(ways, key=len, reverse=True)
        self._bytes = [way.encode("utf-8", "surrogatepass") for way in self._ways]

    def __call__(self, text: str) -> str:
        for way in self._ways:
            text = text.replace(way, MASK)
        return text

    @property
    def longest(self) -> int:
        """Bytes of the longest way to write a credential, 0 where there is none."""
        return max(map(len, self._bytes), default=0)

    def in_bytes(self, piece: bytes) -> bytes:
        for way in self._bytes:
            piece = piece.replace(way, MASK.encode())
        return piece

    def within(self, value: Any) -> Any:
        """Return the same value with every text in it masked, names included."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, dict):
            return {self(name): self.within(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.within(item) for item in value]
        return value


def mask_of(credentials: Credentials, composed: Composed | None = None) -> Mask:
    """Hide a project's credentials and, of a call, what was given for its secret parameters."""
    given = []
    if composed is not None:
        secret = [param for param in composed.operation.params if param.secret]
        given = [str(composed.given.params.get(name, "")) for param in secret for name in (param.name, *param.also)]
    pairs = [f"{credentials.username}:{credentials.secret}", f"{credentials.token}:"]
    return Mask(credentials.token, credentials.username, credentials.secret, *pairs, *given)


def _ways(secret: str) -> set[str]:
    raw = secret.encode()
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    written = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)} | encoded | written
