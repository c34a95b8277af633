"""Erasing one person everywhere, with a proof: what is asked first, the story of one erasure, and who was erased."""

from erasure.erase import Eraser, InTheWay, Nothing, Sight, eraser
from erasure.records import Erasure, Person

__all__ = ["Eraser", "Erasure", "InTheWay", "Nothing", "Person", "Sight", "eraser"]
