"""A device that keeps passkeys, as WebAuthn level 2 describes it: ES256, no attestation, one counter a passkey."""

import hashlib
import json
import struct
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

ORIGIN, HOST = "https://relay.example.com", "relay.example.com"
PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


def b64(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass
class Device:
    """One passkey. What a test forges is a field, or an argument of `answer`."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: token_bytes(16))
    uses: int = 0

    def made(self, challenge: str, **forged: Any) -> dict[str, Any]:
        """Answer navigator.credentials.create()."""
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        data = _data(self.uses, PRESENT | VERIFIED | HAS_KEY, forged.get("host", HOST))
        data += bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cbor2.dumps(public)
        told = {"attestationObject": b64(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data}))}
        return self._said({"clientDataJSON": b64(_client("webauthn.create", challenge, forged))} | told)

    def answer(self, challenge: str, **forged: Any) -> dict[str, Any]:
        """Answer navigator.credentials.get()."""
        self.uses = forged.get("uses", self.uses + 1)
        client = _client(forged.get("kind", "webauthn.get"), challenge, forged)
        data = _data(self.uses, forged.get("flags", PRESENT | VERIFIED), forged.get("host", HOST))
        key: ec.EllipticCurvePrivateKey = forged.get("key", self.key)
        signed = key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        told = {"authenticatorData": b64(data), "signature": b64(signed), "userHandle": forged.get("handle")}
        return self._said({"clientDataJSON": b64(client)} | told)

    def _said(self, response: dict[str, Any]) -> dict[str, Any]:
        named = b64(self.credential_id)
        return {"id": named, "rawId": named, "type": "public-key", "response": response, "clientExtensionResults": {}}


def _client(kind: str, challenge: str, forged: dict[str, Any]) -> bytes:
    origin = forged.get("origin", ORIGIN)
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()


def _data(uses: int, flags: int, host: str) -> bytes:
    return hashlib.sha256(host.encode()).digest() + struct.pack(">BI", flags, uses)
