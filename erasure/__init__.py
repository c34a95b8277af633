"""Erasing one person everywhere, with a proof: what is asked first, the story of one erasure, and who was erased."""

from erasure.erase import Eraser, ErasurePreview, InTheWay, NothingToErase, eraser
from erasure.records import DataSubject, Erasure

__all__ = ["DataSubject", "Eraser", "Erasure", "ErasurePreview", "InTheWay", "NothingToErase", "eraser"]
