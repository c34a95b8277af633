"""Amounts as a strip of cells, like the pages of a session: as many cells for each as its share, none left out."""

from collections.abc import Sequence
from typing import NamedTuple


class Cell(NamedTuple):
    """One cell: what it belongs to, and in words how much that is."""

    name: str
    words: str


def cells(parts: Sequence[tuple[str, str, int]], most: int) -> list[Cell]:
    """Draw amounts, each with its name and word, as at most `most` cells: one for each of so few, else by their shares,
    at least one for each that is not nothing."""
    known = [part for part in parts if part[2] > 0]
    total = sum(amount for _name, _word, amount in known)
    room = min(most, total)
    shares = [max(1, amount * room // total) for _name, _word, amount in known]
    wants = [amount * room / total for _name, _word, amount in known]
    while sum(shares) != room:
        step = 1 if sum(shares) < room else -1
        places = [place for place, share in enumerate(shares) if share + step > 0]
        shares[max(places, key=lambda place: step * (wants[place] - shares[place]))] += step
    return [
        Cell(name, f"{amount:,} {word}")
        for (name, word, amount), share in zip(known, shares, strict=True)
        for _ in range(share)
    ]
