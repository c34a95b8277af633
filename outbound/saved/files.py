"""Saved requests as files that a version control likes: one a request, sorted, the same bytes for the same request.

A file has no secret, no number of ours, no time and nobody's name, so that it only differs where the request does.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from outbound.operations.types import CallInput
from outbound.request.param_values import WrongValue, parsed
from outbound.saved.requests import SavedDraft, WrongSavedRequest, checked

MOST_FILES = 500
MOST_BYTES = 4 * 1024 * 1024  # of one file
EARLIEST = (1980, 1, 1, 0, 0, 0)  # of a file in a ZIP


class RequestFile(msgspec.Struct, forbid_unknown_fields=True):
    """What a file holds. A variable's value is one text for all projects, or a text by project."""

    name: str
    operation: str
    folder: str = ""
    project: str = ""
    params: dict[str, Any] = {}
    body: Any = None
    variables: dict[str, str | dict[str, str]] = {}
    checks: list[str] = []


def written(draft: SavedDraft) -> str:
    """Return the file of a request: JSON, its names sorted, without what is empty."""
    variables = {name: values.get("") if set(values) == {""} else values for name, values in draft.variables.items()}
    holds = {
        "name": draft.name,
        "operation": draft.operation,
        "folder": draft.folder,
        "project": draft.project,
        "params": draft.given.params,
        "body": _as_json(draft.given.body),
        "variables": variables,
        "checks": draft.checks,
    }
    there = {name: value for name, value in holds.items() if value not in ("", None, {}, [])}
    return json.dumps(there, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _as_json(body: Any) -> Any:
    """A body that was typed as JSON has a line for each name."""
    if not isinstance(body, str):
        return body
    try:
        found = parsed(body)
    except WrongValue:
        return body
    return found if isinstance(found, dict | list) else body


def read(content: bytes) -> SavedDraft:
    """Read a file. Raises WrongSavedRequest."""
    if len(content) > MOST_BYTES:
        raise WrongSavedRequest("file", "The file is longer than 4 MB.")
    try:
        found = msgspec.convert(parsed(content.decode("utf-8-sig")), RequestFile)
    except (UnicodeDecodeError, WrongValue, msgspec.ValidationError) as error:
        raise WrongSavedRequest("file", f"It is not a saved request: {error}") from None
    variables = {name: {"": value} if isinstance(value, str) else value for name, value in found.variables.items()}
    given = CallInput(found.params, found.body)
    return checked(SavedDraft(found.name, found.folder, found.operation, found.project, given, variables, found.checks))


def paths(drafts: Sequence[SavedDraft]) -> Iterator[tuple[str, SavedDraft]]:
    """Yield the path of each: its folder, and its name in small letters. Names that would share one get a digest."""
    plain = [_plain_path(draft) for draft in drafts]
    for path, draft in zip(plain, drafts, strict=True):
        digest = hashlib.sha256(draft.name.encode()).hexdigest()[:8]
        yield (path if plain.count(path) == 1 else f"{path}-{digest}") + ".json", draft


def _plain_path(draft: SavedDraft) -> str:
    parts = [*filter(None, draft.folder.split("/")), draft.name]
    return "/".join(_plain(part) for part in parts)


def _plain(word: str) -> str:
    signs = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in word.lower())
    return "-".join(filter(None, signs.split("-"))) or hashlib.sha256(word.encode()).hexdigest()[:8]


def packed(drafts: Sequence[SavedDraft]) -> bytes:
    """Return a ZIP of all files; the same bytes for the same requests."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, draft in sorted(paths(drafts), key=lambda pair: pair[0]):
            archive.writestr(zipfile.ZipInfo(path, EARLIEST), written(draft), zipfile.ZIP_DEFLATED)
    return into.getvalue()


def unpacked(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the files of an upload: those within a ZIP, or the one that it is. Raises WrongSavedRequest."""
    if not content.startswith(b"PK\x03\x04"):
        yield name, content
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = [info for info in archive.infolist() if info.filename.endswith(".json")]
            if len(inside) > MOST_FILES or sum(info.file_size for info in inside) > 4 * MOST_BYTES:
                raise WrongSavedRequest("file", f"At most {MOST_FILES} files and 16 MB at once.")
            for info in inside:
                with archive.open(info) as file:
                    yield info.filename, file.read(MOST_BYTES + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise WrongSavedRequest("file", f"The ZIP cannot be read: {error}") from None


def in_folder(folder: Path) -> list[Path]:
    """Return the files of a folder and of those in it, by path."""
    return sorted(path for path in folder.rglob("*.json") if path.is_file())
