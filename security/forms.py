"""How much a form may hold. Said before any of it is read: a form is held in memory, whoever sends it."""

from collections.abc import Callable
from typing import TypeVar

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

LARGEST = 100_000  # bytes of a form; no page of ours needs a tenth of it
MOST_FIELDS = 10_000  # of a large form: a field of two bytes takes a hundred times as much memory
MOST_PARTS = 200  # of a form with files, each of which may be an open file
MOST_PARTS_OF_ROWS = 2_000  # of one with rows of a name and a value, to which somebody adds; as many bytes as any has
ENCODED = "application/x-www-form-urlencoded"

View = TypeVar("View", bound=Callable[..., object])


def takes(size: int) -> Callable[[View], View]:
    """Mark a view whose forms may have this many bytes."""

    def mark(view: View) -> View:
        view.largest_form = size  # type: ignore[attr-defined]
        return view

    return mark


def takes_files(size: Callable[[], int], *, parts: int = MOST_PARTS) -> Callable[[View], View]:
    """Mark a view whose forms may hold files, with them as many bytes as `size` says, in so many parts. Files wait on
    the disk; the fields beside them may have no more than those of any other form."""

    def mark(view: View) -> View:
        view.largest_files = size  # type: ignore[attr-defined]
        view.most_parts = parts  # type: ignore[attr-defined]
        return view

    return mark


def bound(view: Callable[..., object]) -> None:
    """Bound the form of this request by what its view takes. Raises RequestEntityTooLarge where it says that it is
    larger; whoever says nothing is stopped while it is read."""
    largest: int = getattr(view, "largest_form", LARGEST)
    files: Callable[[], int] | None = getattr(view, "largest_files", None)
    request.max_form_memory_size = largest
    request.max_form_parts = getattr(view, "most_parts", MOST_PARTS)
    request.max_content_length = files() if files and request.mimetype == "multipart/form-data" else largest
    if request.content_length is not None and request.content_length > request.max_content_length:
        raise RequestEntityTooLarge


def count_fields() -> None:
    """Refuse a form of more fields than any page has; its bytes are read. Raises RequestEntityTooLarge."""
    if request.mimetype == ENCODED and body().count(b"&") >= MOST_FIELDS:
        raise RequestEntityTooLarge


def body(*, kept: bool = True) -> bytes:
    """Return the bytes of this request. Raises RequestEntityTooLarge where they do not end before `max_content_length`:
    of a body without a length Werkzeug would give us the head for the whole."""
    found = request.get_data(cache=kept)
    if len(found) >= (request.max_content_length or 0) and request.content_length != len(found):
        raise RequestEntityTooLarge
    return found
