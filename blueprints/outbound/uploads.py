"""Uploads: how large a file may be, and where it is kept until somebody has dealt with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from werkzeug.datastructures import FileStorage

from outbound.imports.uploads import new_file
from runtime import current_runtime

MB = 1024 * 1024


def largest_upload() -> int:
    """Bytes of a form with a file in it (setting MAX_IMPORT_MB)."""
    return int(current_runtime().settings.max_import_mb) * MB + MB


@contextmanager
def kept_upload(file: FileStorage) -> Iterator[Path]:
    """The upload on disk; it stays where nothing goes wrong with it, and is removed whatever does."""
    with new_file(current_runtime().uploads) as path:
        file.save(path)
        yield path
