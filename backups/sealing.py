"""Backups under BACKUP_KEY: AES-256 in GCM, each file under a key of its own that is derived from BACKUP_KEY and the
file's salt (HKDF). A file is the mark, the salt, the ciphertext and the tag; nothing of it is used before the tag has
proved all of it."""

import os
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backups.trouble import NoBackup

MARK = b"cohort-relay backup 1\n"
SALT, NONCE, TAG, KEY = 32, 12, 16, 32  # bytes
PIECE = 1024 * 1024


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


def open_sealed(path: Path, key: str, target: Path) -> None:
    """Write to `target` what the file holds; nothing is left there where it cannot be proved. Raises NoBackup."""
    if not key:
        raise NoBackup("It is encrypted: set BACKUP_KEY to the key of its time.")
    rest = path.stat().st_size - len(MARK) - SALT - TAG
    try:
        with path.open("rb") as sealed, target.open("xb") as opened:
            os.fchmod(opened.fileno(), 0o600)
            sealed.seek(len(MARK))
            cipher = _cipher(key, sealed.read(SALT)).decryptor()
            cipher.authenticate_additional_data(MARK)
            while rest > 0:
                piece = sealed.read(min(PIECE, rest))
                rest -= len(piece)
                opened.write(cipher.update(piece))
            cipher.finalize_with_tag(sealed.read(TAG))
    except (InvalidTag, ValueError):
        target.unlink(missing_ok=True)
        raise NoBackup("It was encrypted with another BACKUP_KEY, or is damaged.") from None
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _cipher(key: str, salt: bytes) -> Cipher[modes.GCM]:
    derived = HKDF(SHA256(), KEY + NONCE, salt, b"cohort-relay backup").derive(key.encode())
    return Cipher(algorithms.AES(derived[:KEY]), modes.GCM(derived[KEY:]))
