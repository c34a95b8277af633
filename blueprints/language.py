"""The language seam: every word of a page goes through `_`, `ngettext` or `{% trans %}`, and what is written by the
habits of a place (numbers, dates) asks `reader()` for its locale.

The English sentence is the key in the catalogue. Where there is no other catalogue, words are as they stand in the
code. What programs read is written for nobody in particular: outside a page the reader is English.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache, cached_property, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from flask import Flask, Response, g, request

from config.counts import plural

ENGLISH = "en"  # the language of the code
TRANSLATIONS = Path(__file__).resolve().parents[1] / "translations"
MACHINES = frozenset({"webhook", "api", "api_public", "health"})  # blueprints that no person reads

MOST_WISHES = 10  # languages of one header that are looked at
LONGEST_WISH = 35  # characters of one of them
MOST_LOCALES = 60  # that one process loads, at some 200 KB each; whoever comes with another one then reads English
TELLING = 12_345_678.5  # a number whose separators and groups tell how a place writes them


class Reader:
    """Whom a page is written for: the words of its language, and the locale of its numbers and dates."""

    def __init__(self, language: str, words: NullTranslations, *, has_wishes: bool) -> None:
        self.language = language
        self.words = words
        self._has_wishes = has_wishes

    @cached_property
    def locale(self) -> Locale | None:
        """The locale that the browser asks for; None where all is written as in the code. Of who is signed in alone:
        what a locale needs is never let go of again."""
        return _wished() if self._has_wishes and g.get("operator") is not None else None


NOBODY = Reader(ENGLISH, NullTranslations(), has_wishes=False)
_reader: ContextVar[Reader] = ContextVar("reader", default=NOBODY)


def reader() -> Reader:
    """Return whom this request's page is for; an English reader outside one."""
    return _reader.get()


def _(message: str, **named: Any) -> str:
    """Return a sentence in the reader's language, with what it names: `_("%(word)s became %(other)s", word=…)`."""
    told = _reader.get().words.gettext(message)
    return told % named if named else told


def ngettext(one: str, many: str, count: float, **named: Any) -> str:
    """The same of a sentence that a count decides; `%(num)s` is the count as the reader writes it."""
    told = _reader.get().words.ngettext(one, many, count)  # type: ignore[arg-type]  # a float is many, as elsewhere
    return told % {"num": number(count), **named}


def later(message: str) -> str:
    """Mark a word of a constant for the catalogue; whoever shows it says `_` of it."""
    return message


def counted(count: float, one: str, many: str = "") -> str:
    """Write a number of things with its noun, `2 properties`, as `config/counts.py` does."""
    noun = _reader.get().words.ngettext(one, many or plural(one), count)  # type: ignore[arg-type]  # as above
    return f"{number(count)} {noun}"


def counted_to(most: int, count: int, one: str, many: str = "") -> str:
    """The same of things that were counted to `most` and one more."""
    if count > most:
        return _("more than %(things)s", things=counted(most, one, many))
    return counted(count, one, many)


def number(value: float, places: int | None = None) -> str:
    """Write a number with the separators of the reader: `12,345`; with so many places behind the point, or as it is."""
    locale = _reader.get().locale
    if locale is None:
        return f"{value:,}" if places is None else f"{value:,.{places}f}"
    if places is None:
        return format_decimal(value, locale=locale, decimal_quantization=False)
    whole = locale.decimal_formats[None].pattern.partition(".")[0]
    return format_decimal(value, f"{whole}.{'0' * places}", locale=locale)


def percent(share: float) -> str:
    """Write a share of one, with one place: `12.3%`."""
    locale = _reader.get().locale
    if locale is None:
        return f"{share:.1%}"
    return format_percent(share, locale.percent_formats[None].pattern.replace("0", "0.0", 1), locale=locale)


@cache
def locale_of(language: str) -> Locale:
    """Return the locale of the words' own language: what is first, second, third in it."""
    return Locale.parse(language)


def init_app(app: Flask) -> None:
    """Give templates the seam's functions, and each page its reader."""
    app.extensions["languages"] = languages = {ENGLISH: NullTranslations(), **found(TRANSLATIONS)}
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # the extension's
        lambda message: _reader.get().words.gettext(message),  # noqa: PLW0108 - another reader at each call
        lambda one, many, count: _reader.get().words.ngettext(one, many, count),  # noqa: PLW0108 - the same
        newstyle=True,
    )
    app.jinja_env.globals["_"] = app.jinja_env.globals["gettext"]

    @app.before_request
    def meet() -> None:
        _reader.set(NOBODY if request.blueprint in MACHINES else _met(languages))

    @app.after_request
    def vary(response: Response) -> Response:
        """Say that a page is another one for readers of another place, should anything keep it."""
        if response.mimetype == "text/html":
            response.vary.add("Accept-Language")
        return response

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        _reader.set(NOBODY)


def found(folder: Path) -> dict[str, NullTranslations]:
    """Return the catalogues in a folder by their language, as `pybabel init` lays them out."""
    return {path.parts[-3]: _catalogue(path) for path in sorted(folder.glob("*/LC_MESSAGES/messages.po"))}


def _catalogue(path: Path) -> GNUTranslations:
    """A catalogue as translators write it, so that no compiled file lies beside it and grows old."""
    compiled = BytesIO()
    with path.open("rb") as written:
        write_mo(compiled, read_po(written))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _met(languages: Mapping[str, NullTranslations]) -> Reader:
    """The reader of this request: of the languages that we have, the one that the browser likes best."""
    wishes = [tag for tag, quality in request.accept_languages[:MOST_WISHES] if quality] if len(languages) > 1 else []
    best = next((have for tag in wishes for have in (tag.replace("-", "_"), tag[:2]) if have in languages), ENGLISH)
    return Reader(best, languages[best], has_wishes=True)


def _wished() -> Locale | None:
    """The first locale of the request's header that is known; None where all is written as in the code."""
    for tag, quality in request.accept_languages[:MOST_WISHES]:
        locale = _parsed(tag) if quality and len(tag) <= LONGEST_WISH else None
        if locale is not None:
            return _loaded(locale)
    return None


@lru_cache(maxsize=1000)
def _parsed(tag: str) -> Locale | None:
    """The locale of a language tag, `de-CH`; of its language alone where its place is unknown."""
    for identifier in dict.fromkeys((tag.replace("-", "_"), tag.partition("-")[0])):
        try:
            return Locale.parse(identifier)
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    return None


_locales: dict[str, Locale | None] = {}


def _loaded(locale: Locale) -> Locale | None:
    """The same with what it needs in memory, as far as there is room; None for English whose numbers are the code's."""
    name = str(locale)
    if name not in _locales and len(_locales) < MOST_LOCALES:
        is_as_written = locale.language == ENGLISH and format_decimal(TELLING, locale=locale) == f"{TELLING:,}"
        _locales[name] = None if is_as_written else locale
    return _locales.get(name)
