"""The settings of backups on a schedule; a part of `config.settings_table`."""

import re
from pathlib import PurePosixPath

from config.key_strength import is_random_enough
from config.parsers import WrongValue, secret_keys, text, url, whole
from config.setting import Setting

BUCKET = "s3://"
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9_=-][A-Za-z0-9._=-]{0,200}){0,20}")


def place(value: str) -> str:
    """empty, a folder named from the root, or s3://bucket/path of small letters, digits, -, . and _"""
    value = value.strip()
    if value.startswith(BUCKET):
        value = value.rstrip("/")
        if not _BUCKET.fullmatch(value):
            raise ValueError
        return value
    if "://" in value:
        raise ValueError
    if value and not PurePosixPath(value).is_absolute():
        raise WrongValue("named from the root, such as /var/backups/cohort-relay, nor an address such as s3://bucket")
    return value


def key(value: str) -> str:
    """empty, or 32 random bytes as text: python3 -c 'import secrets; print(secrets.token_hex(32))' prints such a key"""
    value = value.strip()
    if value and not is_random_enough(value):
        raise ValueError
    return value


def keys(value: str) -> tuple[str, ...]:
    """empty, or earlier keys of backups with commas between them"""
    found = secret_keys(value)
    if not all(map(is_random_enough, found)):
        raise ValueError
    return found


BACKUPS = (
    Setting(
        "BACKUP_TO",
        "",
        "Where the worker keeps backups that it makes by itself: a folder, named from the root, or s3://bucket/path;"
        " empty means that it makes none.",
        place,
    ),
    Setting("BACKUP_EVERY_HOURS", "24", "Hours from one backup to the next.", whole(1, 720)),
    Setting(
        "BACKUP_KEEP",
        "14",
        "How many backups are kept; older ones go once a newer one has been read back and opened.",
        whole(1, 1000),
    ),
    Setting(
        "BACKUP_KEY",
        "",
        "Key that backups are encrypted with (AES-256), another one than SECRET_KEY; empty means that they are not"
        " encrypted. Without it they cannot be restored.",
        key,
        secret=True,
    ),
    Setting(
        "BACKUP_KEY_OLD",
        "",
        "Earlier keys of backups, the newest first, with commas between them: what was made under them can still be"
        " restored.",
        keys,
        secret=True,
    ),
    Setting(
        "BACKUP_S3_ENDPOINT", "", "Address of a store that is not Amazon's, for s3:// addresses.", url("http", "https")
    ),
    Setting("BACKUP_S3_REGION", "us-east-1", "Region of the bucket.", text),
    Setting(
        "BACKUP_S3_ACCESS_KEY",
        "",
        "Key that may read, write, list and delete in the bucket; empty means what the machine itself has (Amazon's own"
        " way: environment, profile, role).",
        text,
        secret=True,
    ),
    Setting("BACKUP_S3_SECRET_KEY", "", "The secret of that key.", text, secret=True),
)
