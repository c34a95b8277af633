"""Files of changes in a folder, in an S3-compatible bucket, or on an SFTP server."""

import time
from collections.abc import Sequence

from destinations.contract import (
    Answer,
    Budget,
    Change,
    Check,
    DestinationType,
    Feed,
    Opened,
    Refusal,
    Setting,
    Verdict,
)
from destinations.files import whole_set
from destinations.files.bucket import Bucket
from destinations.files.content import File, file_of, lines
from destinations.files.folder import Folder
from destinations.files.members import members, of_changes
from destinations.files.place import NotWritten, Place
from destinations.files.sftp import SFTP
from destinations.files.whole_set import MOST_BYTES, TooLarge
from destinations.transport import TIMEOUT, WrongAddress, hidden_in, kept

SLOW = "The set was read too slowly: raise the timeout."
STEPS = 4  # times its timeout that a call may take before others take it for dead


class FilesAdapter:
    """One place for files. Raises WrongAddress and ImportError."""

    def __init__(self, opened: Opened) -> None:
        self._place = _place(opened)
        self._form = str(opened.settings.get("format") or "ndjson")
        self._packed = bool(opened.settings.get("gzip"))
        self._is_whole = opened.settings.get("content") == "set"
        self._seconds = float(opened.settings.get("timeout_seconds") or TIMEOUT) * STEPS
        self._opened = opened
        self._secrets = [secret for secrets in opened.secrets.values() for secret in secrets]

    def check(self) -> Check:
        return self._place.check()

    def send(self, feed: Feed, changes: Sequence[Change]) -> Answer:
        """Write a file of the changes, or of the set that they make, and its manifest after it."""
        until = time.monotonic() + self._seconds
        try:
            file = self._file(feed, changes)
            if time.monotonic() > until:  # others may have taken this for dead, and written a newer one
                return Answer(refusal=Refusal("unavailable", "too_slow", SLOW))
            self._place.write([(file.path, file.data), (file.manifest_path, file.manifest)])
        except NotWritten as error:
            text = kept(error.text, self._secrets, hidden_in(changes))
            return Answer(refusal=error.refusal, status=error.status, text=text)
        except TooLarge:
            told = f"The set is larger than {MOST_BYTES >> 20} MB in a file: have it packed with gzip, or take changes."
            return Answer(refusal=Refusal("gone", "set_too_large", told))
        applied = Verdict("applied", told="It is in a file.")
        return Answer({change.id: applied for change in changes})

    def erase(self, feed: Feed, change: Change) -> Answer:
        """Write that somebody has to be forgotten: whoever read the files before has to act on it."""
        return self.send(feed, [change])

    def preview(self, feed: Feed, changes: Sequence[Change]) -> str:
        if self._is_whole:
            return b"".join(whole_set.lines(feed, of_changes(changes), self._form)).decode()
        return lines(feed, changes, self._form).decode()

    def _file(self, feed: Feed, changes: Sequence[Change]) -> File:
        """Raises TooLarge and DatabaseUnavailable."""
        if not self._is_whole:
            return file_of(feed, changes, self._form, packed=self._packed)
        found = members(self._opened.resources["runtime"], feed, changes)
        return whole_set.set_file(feed, found, changes, self._form, packed=self._packed)

    def close(self) -> None:
        self._place.close()


def _place(opened: Opened) -> Place:
    settings = opened.settings
    if settings.get("bucket") and settings.get("host"):
        raise WrongAddress("Files go to a bucket or to an SFTP server: give one of bucket and host.")
    if settings.get("bucket"):
        return Bucket(opened)
    if settings.get("host"):
        return SFTP(opened)
    return Folder(str(settings.get("path") or ""))


def _open(opened: Opened) -> FilesAdapter:
    return FilesAdapter(opened)


FILES = DestinationType(
    name="files",
    words="Files",
    help="Writes files of entries and exits, or of all who are in: to a folder, an S3-compatible bucket or by SFTP.",
    family="level",
    once="A",
    settings=(
        Setting(
            "path",
            "Folder",
            help="A folder of this machine, named from the root; in a bucket or on an SFTP server the folder there.",
            example="/var/lib/cohorts",
        ),
        Setting(
            "content",
            "Content",
            "choice",
            "Files of changes, or one file of everybody who is in, which is written anew with each call.",
            default="changes",
            choices=("changes", "set"),
        ),
        Setting("format", "Format", "choice", default="ndjson", choices=("ndjson", "csv")),
        Setting("gzip", "Packed with gzip", "flag", default=False),
        Setting("bucket", "Bucket", help="Of S3, or of what takes its calls.", example="company-cohorts"),
        Setting("region", "Region of the bucket", default="us-east-1", example="eu-central-1"),
        Setting(
            "endpoint", "Address of the store", "url", "Where it is not Amazon's.", example="https://s3.example.com"
        ),
        Setting("access_key", "Access key", help="The name of the key."),
        Setting("secret_key", "Secret key", help="Of the access key.", secret=True),
        Setting("host", "SFTP server", example="sftp.example.com"),
        Setting("port", "Port of the SFTP server", "number", default=22, least=1, most=65535),
        Setting("user", "User of the SFTP server"),
        Setting(
            "host_key",
            "Key of the SFTP server",
            help="A line of ssh-keyscan -t ed25519 SERVER; a server with another key is refused.",
            example="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…",
        ),
        Setting(
            "concurrency",
            "Calls at once",
            "number",
            "A set is written by one call at a time.",
            default=1,
            least=1,
            most=1,
        ),
        Setting("password", "Password", help="Of the SFTP user.", secret=True),
        Setting(
            "private_key",
            "Private key",
            help="Of the SFTP user, without a passphrase: what base64 -w0 FILE prints.",
            secret=True,
        ),
    ),
    open=_open,
    budget=Budget(rate=2, concurrency=1),
    batch=10_000,
    body_bytes=64 * 1024 * 1024,
    carries_fields=True,
    erases=True,
    promise="The same changes make the same file, which overwrites itself; applying a line twice changes nothing.",
)
