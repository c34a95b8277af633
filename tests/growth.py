"""Whether work grows with a text, or faster than it. By the time of the processor that this thread alone takes,
compared with itself at several sizes and with a wide margin: what else the machine does makes no difference."""

from collections.abc import Callable
from time import thread_time

SHORT = 0.002  # seconds; less is not compared, and no text of a few thousand characters should take as long
LONG = 0.05  # seconds; what takes as long is measured once
FAR_TOO_LONG = 1.0  # seconds, for the text in the middle
SIZES = (500, 2_000, 8_000)
MARGIN = 4  # times of what is linear between the first and the last size; a square is sixteen times of it


def grows_faster(work: Callable[[str], object], make: Callable[[int], str]) -> bool:
    """Whether a text of sixteen times the length takes far more than sixteen times as long."""
    small, middle, large = SIZES
    if _is_quick(work, make(small)) and _is_quick(work, make(middle)):  # the short one first: a cube takes its time
        return False
    before = _seconds(work, make(small))
    in_the_middle = _seconds(work, make(middle))
    if in_the_middle > FAR_TOO_LONG or (in_the_middle > LONG and in_the_middle > before * (middle // small) * MARGIN):
        return True
    long = make(large)
    return _is_far_more(_once(work, long), before) and _is_far_more(_seconds(work, long), before)


def _is_far_more(now: float, before: float) -> bool:
    """Whether the long text took so much more than the short one. What takes it only once was held up."""
    small, _middle, large = SIZES
    return now > SHORT and now > before * (large // small) * MARGIN


def _is_quick(work: Callable[[str], object], text: str) -> bool:
    """Whether it is so quick that there is nothing to compare."""
    return any(_once(work, text) < SHORT for _ in range(3))


def _seconds(work: Callable[[str], object], text: str) -> float:
    """The least of three tries."""
    first = _once(work, text)
    return first if first > LONG else min(first, _once(work, text), _once(work, text))


def _once(work: Callable[[str], object], text: str) -> float:
    began = thread_time()
    work(text)
    return thread_time() - began
