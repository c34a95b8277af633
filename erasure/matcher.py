"""Whether a text mentions someone: their id, e-mail or phone number stands in it as a whole word. Pure."""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote_plus

from erasure import number_matcher

SHORTEST_PHONE = 6  # characters; a shorter one is in every other number

# An id is no part of a longer one: `ada` is not in `ada@example.com`, `ada-2` or `ada.b`, but it ends a sentence.
_BEFORE, _AFTER = r"(?<![\w@+-])(?<!\w\.)", r"(?![\w@+-])(?!\.\w)"


class Mentions:
    """Finds one person in texts, however those are written: as JSON, JSON within JSON, or a part of a URL."""

    def __init__(self, distinct_id: str, email: str | None = None, phone: str | None = None) -> None:
        words = [word for word in (email, phone if phone and len(phone) >= SHORTEST_PHONE else None) if word]
        self._number = distinct_id if distinct_id.isdigit() else None  # counts only where it is a value by itself
        self._id = re.compile("|".join(map(_whole, _ways([distinct_id]))))
        self._words = re.compile("|".join(map(_whole, _ways(words))), re.IGNORECASE) if words else None
        self.needles = sorted({folded(way) for way in _ways([distinct_id, *words])})

    def within(self, text: str | None) -> bool:
        """Tell whether `text` mentions them. Texts without one of `needles` (see `folded`) never do."""
        if not text or not any(needle in folded(text) for needle in self.needles):
            return False
        plain = re.sub(r"\\[nrt]", " ", text)
        return any(self._found(way) for way in {plain, unquote_plus(plain)})

    def _found(self, text: str) -> bool:
        named = number_matcher.stands_in(text, self._number) if self._number else self._id.search(text)
        return bool(named or (self._words and self._words.search(text)))


def folded(text: str) -> str:
    """Write the letters of ASCII in lower case, as both databases fold them."""
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def _whole(way: str) -> str:
    return f"{_BEFORE}{re.escape(way)}{_AFTER}"


def _ways(words: Iterable[str]) -> list[str]:
    """Return how each of them may be written, the plain way first."""
    found: dict[str, None] = {}
    for word in words:
        escaped = [json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1]]
        twice = [json.dumps(way)[1:-1] for way in escaped]
        found |= dict.fromkeys([word, *escaped, *twice, quote(word), quote(word, safe=""), quote_plus(word)])
    return list(found)
