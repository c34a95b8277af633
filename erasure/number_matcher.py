"""Where a number stands as a value of its own: in quotes, in a list or column, or behind the name of an id. Pure.

Each place of the number is found first, and then what stands around it: no two places share what is looked at, so that
the time grows with the text, whatever its writer put there. A pattern that begins with what stands before the number
would look at long runs of blanks or backslashes again and again.
"""

NAMES = ("distinct_id", "user_id", "identified_id", "anon_id", "device_id")
_QUOTES, _SIGNS = "\"'", ":="
_OPENS, _CLOSES = ",;[", ",;]"


def stands_in(text: str, number: str) -> bool:
    """Tell whether the number is a value of its own somewhere in the text."""
    at = text.find(number)
    while at >= 0:
        end = at + len(number)
        if _in_quotes(text, at, end) or _in_a_list(text, at, end) or _behind_a_name(text, at, end):
            return True
        at = text.find(number, at + 1)
    return False


def _in_quotes(text: str, at: int, end: int) -> bool:
    """Tell whether it stands in quotes as JSON writes them, also within JSON: a quote, and its fellow behind any number
    of backslashes."""
    return text[at - 1 : at] in (*_QUOTES,) and text[_after(text, end, "\\") :][:1] in (*_QUOTES,)


def _in_a_list(text: str, at: int, end: int) -> bool:
    """Between commas, semicolons, brackets, tabs, or the ends of a line."""
    begins = _before_blanks(text, at)
    closes = _after_blanks(text, end)
    blanks = text[begins:at], text[end:closes]
    is_open = begins == 0 or text[begins - 1] in _OPENS or "\n" in blanks[0] or "\t" in blanks[0]
    return is_open and (closes == len(text) or text[closes] in _CLOSES or "\n" in blanks[1] or "\t" in blanks[1])


def _behind_a_name(text: str, at: int, end: int) -> bool:
    r"""As `"distinct_id": 42`, `user_id=42` or `\"device_id\": \"42`, and no part of a word."""
    if end < len(text) and (text[end].isalnum() or text[end] == "_"):
        return False
    signs = _before_blanks(text, _before_quote(text, at))
    name = _before(text, signs, _SIGNS)
    return name < signs and text.endswith(NAMES, 0, _before_quote(text, _before_blanks(text, name)))


def _before_quote(text: str, at: int) -> int:
    """Return where the quote that ends at `at` begins, with its backslashes."""
    return _before(text, at - 1 if text[at - 1 : at] in (*_QUOTES,) else at, "\\")


def _before(text: str, at: int, signs: str) -> int:
    while at > 0 and text[at - 1] in signs:
        at -= 1
    return at


def _after(text: str, at: int, signs: str) -> int:
    while at < len(text) and text[at] in signs:
        at += 1
    return at


def _before_blanks(text: str, at: int) -> int:
    while at > 0 and text[at - 1].isspace():
        at -= 1
    return at


def _after_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at
