"""Backups under BACKUP_KEY: AES-256 in GCM, each file under a key of its own that is derived from BACKUP_KEY and the
file's salt (HKDF). A file is the mark, the salt, the ciphertext and the tag; nothing of it is used before the tag has
proved all of it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backups.keys import Key
from backups.trouble import NoBackup

MARK = b"cohort-relay backup 1\n"
SALT, NONCE, TAG, KEY = 32, 12, 16, 32  # bytes
PIECE = 1024 * 1024
STARTS = (b"SQLite format 3\0", b"PGDMP")
HEAD = len(MARK) + SALT + max(map(len, STARTS))  # bytes in which a file's key shows
NO_KEY = "neither BACKUP_KEY nor BACKUP_KEY_OLD is the one of its time"


class Sealer:
    """A file that encrypts what is written to it."""

    def __init__(self, file: BinaryIO, key: str) -> None:
        salt = os.urandom(SALT)
        self._file, self._cipher = file, _cipher(key, salt).encryptor()
        self._cipher.authenticate_additional_data(MARK)
        file.write(MARK + salt)

    def write(self, piece: bytes) -> None:
        self._file.write(self._cipher.update(piece))

    def end(self) -> None:
        self._file.write(self._cipher.finalize() + self._cipher.tag)


def is_sealed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MARK)) == MARK


def key_of(head: bytes, keys: Sequence[Key]) -> Key | None:
    """Return the key that a file was sealed with, by its first HEAD bytes: what is sealed begins as SQLite's files or
    PostgreSQL's dumps do. None where it is none of these. That the rest is whole, only its tag proves."""
    salt, begins = head[len(MARK) : len(MARK) + SALT], head[len(MARK) + SALT : HEAD]
    if not head.startswith(MARK):
        return None
    return next((key for key in keys if _cipher(key.text, salt).decryptor().update(begins).startswith(STARTS)), None)


def open_sealed(path: Path, keys: Sequence[Key], target: Path) -> Key:
    """Write to `target` what the file holds, and return the key that opened it; nothing is left there where it cannot
    be proved. Raises NoBackup."""
    with path.open("rb") as file:
        key = key_of(file.read(HEAD), keys)
    if key is None and not keys:
        raise NoBackup("It is encrypted: set BACKUP_KEY, or BACKUP_KEY_OLD, to the key of its time.")
    if key is None:
        raise NoBackup(f"It was encrypted with another key: {NO_KEY}. Or its beginning is damaged.")
    _open(path, key, target)
    return key


def _open(path: Path, key: Key, target: Path) -> None:
    rest = path.stat().st_size - len(MARK) - SALT - TAG
    try:
        with path.open("rb") as sealed, target.open("xb") as opened:
            os.fchmod(opened.fileno(), 0o600)
            sealed.seek(len(MARK))
            cipher = _cipher(key.text, sealed.read(SALT)).decryptor()
            cipher.authenticate_additional_data(MARK)
            while rest > 0:
                piece = sealed.read(min(PIECE, rest))
                rest -= len(piece)
                opened.write(cipher.update(piece))
            cipher.finalize_with_tag(sealed.read(TAG))
    except (InvalidTag, ValueError):
        target.unlink(missing_ok=True)
        raise NoBackup(f"It is damaged: it begins as under {key.name}, and its end does not prove it.") from None
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _cipher(key: str, salt: bytes) -> Cipher[modes.GCM]:
    derived = HKDF(SHA256(), KEY + NONCE, salt, b"cohort-relay backup").derive(key.encode())
    return Cipher(algorithms.AES(derived[:KEY]), modes.GCM(derived[KEY:]))
