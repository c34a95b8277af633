"""Words and numbers for whoever reads them, in every room: as they stand in the code, unless a page is being made for
somebody who reads otherwise (`blueprints/language.py` says so for the time of a request).

So what is stored, logged or sent to programs must not be made here while a page is made: it would keep one reader's
language for all others.
"""

from contextvars import ContextVar
from gettext import NullTranslations
from typing import Any

from config.counts import plural


class Reader:
    """Whom sentences are for: by the words of this language, and with numbers as in the code."""

    def __init__(self, words: NullTranslations) -> None:
        self.words = words

    def number(self, value: float, places: int | None = None) -> str:
        """Write a number with its separators, and so many places behind the point, or all."""
        return f"{value:,}" if places is None else f"{value:,.{places}f}"


NOBODY = Reader(NullTranslations())
_reader: ContextVar[Reader] = ContextVar("reader", default=NOBODY)


def reader() -> Reader:
    """Return whom sentences are for at this moment."""
    return _reader.get()


def write_for(reader: Reader) -> None:
    """Write for somebody from now on, in this thread."""
    _reader.set(reader)


def _(message: str, /, **named: Any) -> str:
    """Return a sentence in the reader's language, with what it names: `_("%(word)s became %(other)s", word=…)`."""
    told = _reader.get().words.gettext(message)
    return told % named if named else told


def ngettext(one: str, many: str, count: float, /, **named: Any) -> str:
    """The same of a sentence that a count decides; `%(num)s` is the count as the reader writes it."""
    told = _reader.get().words.ngettext(one, many, count)  # type: ignore[arg-type]  # a float is many, as elsewhere
    return told % {"num": number(count), **named}


def later(message: str) -> str:
    """Mark a word of a constant for the catalogue; whoever shows it says `_` of it."""
    return message


def both(one: str, many: str) -> tuple[str, str]:
    """Mark a pair of words of a constant, for one and for several; whoever shows them says `ngettext` of both."""
    return one, many


def number(value: float, places: int | None = None) -> str:
    """Write a number with the separators of the reader: `12,345`."""
    return _reader.get().number(value, places)


def counted(count: float, one: str, many: str = "") -> str:
    """Write a number of things with its noun, `2 properties`, as `config/counts.py` does."""
    noun = _reader.get().words.ngettext(one, many or plural(one), count)  # type: ignore[arg-type]  # as above
    return f"{number(count)} {noun}"


def counted_to(most: int, count: int, one: str, many: str = "") -> str:
    """The same of things that were counted to `most` and one more."""
    if count > most:
        return _("more than %(things)s", things=counted(most, one, many))
    return counted(count, one, many)
