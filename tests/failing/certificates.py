"""Certificates of the tests' own: an authority, and what it signs for a server on this machine."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """Whoever trusts `file` trusts what it signs; all files lie in `folder`."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}.crt"

    def sign(self, name: str, valid_from: timedelta = -2 * DAY, until: timedelta = 2 * DAY) -> tuple[Path, Path]:
        """Returns the files of a certificate and its key, for a server by this name; times are from now on."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _builder(name, self.name, key, valid_from, until)
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        signed = certificate.add_extension(names, critical=False).sign(self.key, hashes.SHA256())
        return _kept(self.folder / f"{name}.crt", signed), _kept_key(self.folder / f"{name}.key", key)

    def server_context(self, name: str, **times: timedelta) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.sign(name, **times))
        return context


def new_authority(folder: Path, name: str = "authority") -> Authority:
    made = Authority(folder, name, ec.generate_private_key(ec.SECP256R1()))
    certificate = _builder(name, name, made.key, -3 * DAY, 300 * DAY)
    is_authority = x509.BasicConstraints(ca=True, path_length=None)
    _kept(made.file, certificate.add_extension(is_authority, critical=True).sign(made.key, hashes.SHA256()))
    return made


def _builder(
    name: str, issuer: str, key: ec.EllipticCurvePrivateKey, valid_from: timedelta, until: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    subject, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, issuer))
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(by).public_key(key.public_key())
    numbered = made.serial_number(x509.random_serial_number())
    return numbered.not_valid_before(now + valid_from).not_valid_after(now + until)


def _kept(file: Path, certificate: x509.Certificate) -> Path:
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return file


def _kept_key(file: Path, key: ec.EllipticCurvePrivateKey) -> Path:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(*form))
    file.chmod(0o600)
    return file
