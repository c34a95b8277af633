"""What came from outside, as a terminal may show it: no character of it moves the cursor, changes what stands there
already, or turns the order of what follows."""

import re

# Control characters but tab and line feed, half characters, and what has no width and turns the writing about.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    r"""The text with such characters as escapes: `\x1b`, or `\u202e` as JSON writes it."""
    return _HIDDEN.sub(_escape, text) if not text.isascii() or not text.isprintable() else text


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    if number < 0x20:  # noqa: PLR2004 - JSON's own escapes are for these, and nobody writes them raw
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"  # noqa: PLR2004 - those of four digits
