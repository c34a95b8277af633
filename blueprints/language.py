"""Whom a page is written for: the language of its words, and the locale of its numbers and dates.

Every word of a page goes through `_` and its like of `config/words.py`, or `{% trans %}`. The English sentence is the
key in the catalogue; where there is no other catalogue, words are as they stand in the code. What programs read is
written for nobody in particular.
"""

from collections.abc import Mapping
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
from markupsafe import Markup

from config import words

ENGLISH = "en"  # the language of the code
TRANSLATIONS = Path(__file__).resolve().parents[1] / "translations"
MACHINES = frozenset({"webhook", "api", "api_public", "health"})  # blueprints that no person reads

MOST_WISHES = 10  # languages of one header that are looked at
LONGEST_WISH = 35  # characters of one of them
MOST_LOCALES = 60  # that one process loads, at some 200 KB each; whoever comes with another one then reads English
MOST_SAID = 5_000  # words of templates that are kept ready
TELLING = 12_345_678.5  # a number whose separators and groups tell how a place writes them


class Reader(words.Reader):
    """Whom a page is written for: the words of its language, and the locale of its numbers and dates."""

    def __init__(self, language: str, translations: NullTranslations) -> None:
        super().__init__(translations)
        self.language = language
        self.said = said_in(translations)

    @cached_property
    def locale(self) -> Locale | None:
        """The locale that the browser asks for; None where all is written as in the code. Of who is signed in alone:
        what a locale needs is never let go of again."""
        return _wished() if g.get("operator") is not None else None

    def number(self, value: float, places: int | None = None) -> str:
        """Write a number by the locale; with so many places behind the point, or as it is."""
        if self.locale is None:
            return super().number(value, places)
        if places is None:
            return format_decimal(value, locale=self.locale, decimal_quantization=False)
        whole = self.locale.decimal_formats[None].pattern.partition(".")[0]
        return format_decimal(value, f"{whole}.{'0' * places}", locale=self.locale)


@cache
def said_in(_translations: NullTranslations) -> dict[str, Markup]:
    """Return what templates have said by these words without a value in it: a list has such a word in each row."""
    return {}


def locale() -> Locale | None:
    """Return the locale of this request's page; None where all is written as in the code."""
    found = words.reader()
    return found.locale if isinstance(found, Reader) else None


def language() -> str:
    """Return the language of this request's words."""
    found = words.reader()
    return found.language if isinstance(found, Reader) else ENGLISH


def percent(share: float) -> str:
    """Write a share of one, with one place: `12.3%`."""
    by = locale()
    if by is None:
        return f"{share:.1%}"
    return format_percent(share, by.percent_formats[None].pattern.replace("0", "0.0", 1), locale=by)


@cache
def locale_of(language: str) -> Locale:
    """Return the locale of the words' own language: what is first, second, third in it."""
    return Locale.parse(language)


def init_app(app: Flask) -> None:
    """Give templates the seam's functions, and each page its reader."""
    app.extensions["languages"] = languages = {ENGLISH: NullTranslations(), **found(TRANSLATIONS)}
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.newstyle_gettext = True  # type: ignore[attr-defined]  # the extension's: values go in by name, escaped
    app.jinja_env.globals.update(_=_in_template, gettext=_in_template, ngettext=_counted_in_template)

    @app.before_request
    def meet() -> None:
        words.write_for(words.NOBODY if request.blueprint in MACHINES else _met(languages))

    @app.after_request
    def vary(response: Response) -> Response:
        """Say that a page is another one for readers of another place, should anything keep it."""
        if response.mimetype == "text/html":
            response.vary.add("Accept-Language")
        return response

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        words.write_for(words.NOBODY)


def _in_template(message: str, /, **named: Any) -> Markup:
    """As Jinja's own, which takes four times as long: the sentence as it is, and what it names escaped."""
    reader = words.reader()
    if named or not isinstance(reader, Reader):
        return Markup(reader.words.gettext(message)) % named  # noqa: S704 - the sentence is ours
    said = reader.said.get(message)
    if said is None:
        said = Markup(reader.words.gettext(message) % {})  # noqa: S704 - the same
        if len(reader.said) < MOST_SAID:
            reader.said[message] = said
    return said


def _counted_in_template(one: str, many: str, num: int, /, **named: Any) -> Markup:
    """The same of a sentence that a count decides."""
    return Markup(words.reader().words.ngettext(one, many, num)) % {"num": words.number(num), **named}  # noqa: S704 - the same


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
    return Reader(best, languages[best])


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
