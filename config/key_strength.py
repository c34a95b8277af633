"""Whether a text can be a key: as many random bits as 32 bytes have, and nothing that a person would think of."""

import math
import re
import string
from itertools import pairwise

LEAST_BITS = 256
BITS_OF_A_WORD = 12  # one out of some thousands
_WORD = re.compile(r"(?<![a-z])[A-Z]?(?=[a-z]*[aeiouy])[a-z]{1,12}(?![a-z])")
_HEXADECIMAL = (string.digits + "abcdef", string.digits + "ABCDEF")
_ALPHABETS = (string.digits, *_HEXADECIMAL, string.ascii_letters + string.digits + "+/-_=")
_PRINTABLE = 94


def is_random_enough(text: str) -> bool:
    """Whether nobody finds this text by trying; a random one of 43 signs (base64) or 64 hexadecimal digits is."""
    bits = _bits_of_words(text) if _is_a_sentence(text) else len(text) * _bits_of_a_sign(text)
    return bits >= LEAST_BITS and not _repeats_itself(text) and not _counts(text)


def _is_a_sentence(text: str) -> bool:
    """Whether its letters and digits are nearly all in words, such as nobody gets by chance."""
    signs = sum(character.isalnum() for character in text)
    return sum(map(len, _WORD.findall(text))) > 0.88 * signs


def _bits_of_words(text: str) -> int:
    return len(_WORD.findall(text)) * BITS_OF_A_WORD


def _bits_of_a_sign(text: str) -> float:
    """What one sign of the smallest alphabet that `text` could be made of is worth."""
    sizes = [len(set(alphabet)) for alphabet in _ALPHABETS if set(text) <= set(alphabet)]
    return math.log2(min(sizes, default=_PRINTABLE))


def _repeats_itself(text: str) -> bool:
    """Of a random text nearly all groups of three signs differ."""
    groups = [text[place : place + 3] for place in range(len(text) - 2)]
    return len(set(groups)) < 0.8 * len(groups)


def _counts(text: str) -> bool:
    """`abcdef…`, `9876…`: every other step leads to the next sign or the one before."""
    steps = [abs(ord(after) - ord(before)) for before, after in pairwise(text)]
    return sum(step <= 1 for step in steps) > len(steps) / 2
