"""Whether a text mentions someone: their id, e-mail or phone number stands in it as a whole word. Pure."""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote_plus

SHORTEST_PHONE = 6  # characters; a shorter one is in every other number

# An id is no part of a longer one: `ada` is not in `ada@example.com`, `ada-2` or `ada.b`, but it ends a sentence.
_BEFORE, _AFTER = r"(?<![\w@+-])(?<!\w\.)", r"(?![\w@+-])(?!\.\w)"
# A mere number counts only where it is a value by itself: in quotes, in a list or column, or behind the name of an id.
_NUMBER = (
    r"""(?:\\*["']{0}\\*["']|(?:^|[,;\t\[])\s*{0}\s*(?=[,;\t\]]|$)|(?:distinct|user|identified|anon|device)_id"""
    r"""\\*["']?\s*[:=]+\s*\\*["']?{0}(?!\w))"""
)


class Mentions:
    """Finds one person in texts, however those are written: as JSON, JSON within JSON, or a part of a URL."""

    def __init__(self, distinct_id: str, email: str | None = None, phone: str | None = None) -> None:
        words = [one for one in (email, phone if phone and len(phone) >= SHORTEST_PHONE else None) if one]
        self._id = re.compile(_id_pattern(distinct_id), re.MULTILINE)
        self._words = re.compile("|".join(map(_whole, _ways(words))), re.IGNORECASE) if words else None
        self.needles = sorted({folded(way) for way in _ways([distinct_id, *words])})

    def within(self, text: str | None) -> bool:
        """Whether `text` mentions them. Texts without one of `needles` (see `folded`) never do."""
        if not text or not any(needle in folded(text) for needle in self.needles):
            return False
        plain = re.sub(r"\\[nrt]", " ", text)
        return any(self._found(one) for one in {plain, unquote_plus(plain)})

    def _found(self, text: str) -> bool:
        return bool(self._id.search(text) or (self._words and self._words.search(text)))


def folded(text: str) -> str:
    """With the letters of ASCII in lower case, as both databases fold them."""
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def _id_pattern(distinct_id: str) -> str:
    if distinct_id.isdigit():
        return _NUMBER.format(re.escape(distinct_id))
    return "|".join(map(_whole, _ways([distinct_id])))


def _whole(way: str) -> str:
    return f"{_BEFORE}{re.escape(way)}{_AFTER}"


def _ways(words: Iterable[str]) -> list[str]:
    """How each of them may be written, the plain way first."""
    found: dict[str, None] = {}
    for word in words:
        escaped = [json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1]]
        twice = [json.dumps(one)[1:-1] for one in escaped]
        found |= dict.fromkeys([word, *escaped, *twice, quote(word), quote(word, safe=""), quote_plus(word)])
    return list(found)
