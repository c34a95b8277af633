"""An SFTP server whose key is pinned: nothing of this machine's known hosts, agents or keys has a say."""

import base64
import binascii
import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from destinations.contract import Check, Opened, Refusal
from destinations.files.place import NotWritten
from destinations.transport import TIMEOUT, WrongAddress
from outbound.transport.addresses import Refused, connection_to, for_destinations
from outbound.transport.deadline import Deadline

MISSING = "SFTP needs paramiko, which is not installed: .venv/bin/pip install 'paramiko>=5.1'."
KEY_PARTS = 2


class SFTP:
    """Raises WrongAddress where the settings cannot be used, ImportError where paramiko is missing."""

    def __init__(self, opened: Opened) -> None:
        self._paramiko = _library()
        settings = opened.settings
        self._host, self._port = str(settings["host"]), int(settings.get("port") or 22)
        self._user, self._root = str(settings.get("user") or ""), str(settings.get("path") or ".").rstrip("/") or "/"
        self._key_type, self._key = _pinned(str(settings.get("host_key") or ""))
        self._password = next(iter(opened.secrets.get("password", ())), "")
        self._private_key = _private_key(self._paramiko, next(iter(opened.secrets.get("private_key", ())), ""))
        if not self._user or not (self._password or self._private_key):
            raise WrongAddress("SFTP needs a user, and the secret password or private_key.")
        self._policy = for_destinations(private=opened.private)
        self._seconds = float(settings.get("timeout_seconds") or TIMEOUT)

    def check(self) -> Check:
        try:
            with self._session() as session:
                session.listdir_attr(self._root)
        except NotWritten as error:
            return Check(ok=False, told=str(error))
        return Check(ok=True, told="The server is the one of the pinned key, takes this user, and has the folder.")

    def write(self, files: list[tuple[str, bytes]]) -> None:
        with self._session() as session:
            for path, data in files:
                *folders, name = path.split("/")
                folder = self._made(session, folders)
                beside = f"{folder}/.{name}.part"
                with session.open(beside, "wb") as file:
                    file.set_pipelined(True)
                    file.write(data)
                _move(session, beside, f"{folder}/{name}")

    def close(self) -> None:
        """Nothing is held: each call has a connection of its own."""

    def _made(self, session: Any, folders: list[str]) -> str:
        """Return the folder below the one of the settings, made where it is missing."""
        path = self._root
        for folder in folders:
            path = f"{path}/{folder}"
            try:
                session.stat(path)
            except FileNotFoundError:
                session.mkdir(path, 0o750)
        return path

    @contextmanager
    def _session(self) -> Iterator[Any]:
        """Yield a session within the time of the destination. Raises NotWritten, also for what happens inside."""
        library = self._paramiko
        try:
            with Deadline(self._seconds) as deadline:
                connected = connection_to(self._host, self._port, self._policy, self._seconds)
                deadline.show(connected)
                transport = library.Transport(connected)
                try:
                    self._sign_in(transport)
                    session = library.SFTPClient.from_transport(transport)
                    session.get_channel().settimeout(self._seconds)
                    yield session
                finally:
                    transport.close()
        except NotWritten:
            raise
        except Refused as error:
            told = f"Its name leads to {error}. See ALLOW_PRIVATE_DESTINATIONS."
            raise NotWritten(Refusal("gone", "address_refused", told)) from None
        except library.AuthenticationException:
            raise NotWritten(Refusal("credentials", "sign_in", "It does not take this user.")) from None
        except PermissionError:
            raise NotWritten(Refusal("credentials", "permission", "The user may not write there.")) from None
        except FileNotFoundError:
            raise NotWritten(Refusal("gone", "no_folder", "The folder is not there.")) from None
        except (OSError, EOFError, library.SSHException):
            told = "It could not be reached, or broke off."
            raise NotWritten(Refusal("unavailable", "unreached", told)) from None

    def _sign_in(self, transport: Any) -> None:
        """Raises NotWritten where the server is another one."""
        transport.banner_timeout = transport.auth_timeout = self._seconds
        transport.get_security_options().key_types = _algorithms(self._key_type)
        transport.start_client(timeout=self._seconds)
        if transport.get_remote_server_key().asbytes() != self._key:
            told = "The server has another key than the pinned one: it is another server, or its key was changed."
            raise NotWritten(Refusal("credentials", "host_key", told))
        if self._private_key is not None:
            transport.auth_publickey(self._user, self._private_key)
        else:
            transport.auth_password(self._user, self._password)


def _move(session: Any, beside: str, path: str) -> None:
    """Over what is there; servers that cannot do so in one step do it in two."""
    try:
        session.posix_rename(beside, path)
    except (FileNotFoundError, PermissionError):
        raise
    except OSError:
        with suppress(FileNotFoundError):
            session.remove(path)
        session.rename(beside, path)


def _library() -> Any:
    try:
        import paramiko  # noqa: PLC0415 - an option
    except ImportError:
        raise ImportError(MISSING) from None
    return paramiko


def _algorithms(key_type: str) -> tuple[str, ...]:
    return ("rsa-sha2-512", "rsa-sha2-256") if key_type == "ssh-rsa" else (key_type,)


def _pinned(line: str) -> tuple[str, bytes]:
    """Return the type and the bytes of a public key as `ssh-keyscan` writes it, with or without the host before it.
    Raises WrongAddress."""
    words = line.split()
    kinds = [place for place, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-"))]
    try:
        kind, key = words[kinds[0]], base64.b64decode(words[kinds[0] + 1], validate=True)
    except (IndexError, binascii.Error):
        told = "SFTP needs the server's key as host_key: ssh-keyscan -t ed25519 SERVER prints it. Compare it."
        raise WrongAddress(told) from None
    return kind, key


def _private_key(library: Any, text: str) -> Any:
    """Return a private key that was given as its file's text, or as base64 of that, which is one line; None where none
    was given. Raises WrongAddress."""
    if not text:
        return None
    if "-----BEGIN" not in text:
        with suppress(ValueError):
            text = base64.b64decode(text).decode()
    for kind in (library.Ed25519Key, library.ECDSAKey, library.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except (library.SSHException, ValueError, IndexError):
            continue
    raise WrongAddress(
        "The private key cannot be read: give an OpenSSH key without passphrase, as base64 -w0 prints it."
    )
