"""The numbers that the operator may set for receiving."""

from dataclasses import dataclass
from typing import Protocol

from config.clock import MINUTE, SECOND


class _Settings(Protocol):
    settle_seconds: int
    stalled_seconds: int
    sweep_inline_members: int
    removal_guard_percent: int
    removal_guard_min_members: int
    claim_seconds: int
    sweep_step_members: int


@dataclass(frozen=True)
class Rules:
    """`settle` and `stalled` in milliseconds (S8, S13); `sweep_inline` in members (S5). A worker's `claim` is in
    milliseconds, and a `step` of its sweeps in ids.

    A refresh that would remove more than `guard_percent` of at least `guard_min_members` members is held; 0 is off.
    """

    settle: int = 2 * MINUTE
    stalled: int = 15 * MINUTE
    sweep_inline: int = 250_000
    guard_percent: int = 50
    guard_min_members: int = 100
    claim: int = MINUTE
    step: int = 50_000

    @classmethod
    def of(cls, settings: _Settings) -> "Rules":
        return cls(
            settings.settle_seconds * SECOND,
            settings.stalled_seconds * SECOND,
            settings.sweep_inline_members,
            settings.removal_guard_percent,
            settings.removal_guard_min_members,
            settings.claim_seconds * SECOND,
            settings.sweep_step_members,
        )
