"""What takes files: a folder, a bucket or an SFTP server, all in the same words."""

from typing import Protocol

from destinations.contract import Check, Refusal


class NotWritten(Exception):
    """A place did not take a file; `refusal` says why, `status` is its answer where it has numbers."""

    def __init__(self, refusal: Refusal, status: int | None = None, text: str = "") -> None:
        super().__init__(refusal.told)
        self.refusal = refusal
        self.status = status
        self.text = text


class Place(Protocol):
    """Where files go. A file is there as a whole or not at all, and is overwritten by one of the same path."""

    def check(self) -> Check:
        """Look whether files would be taken, without writing one."""

    def write(self, files: list[tuple[str, bytes]]) -> None:
        """Write files one after the other, each by its path, `/` between its parts. Raises NotWritten."""

    def close(self) -> None:
        """Give back what is held."""
