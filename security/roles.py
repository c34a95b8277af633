"""Roles of operators: a viewer reads, an operator also acts, an admin also decides who may."""

from collections.abc import Callable
from typing import TypeVar

from config import parsers
from config.words import later

ROLES = parsers.ROLES  # a setting names them too
MEANINGS = {
    "viewer": later("sees everything but secrets, and changes nothing"),
    "operator": later(
        "does what a viewer does, manages connections and destinations, and decides about held refreshes"
    ),
    "admin": later("does what an operator does, and manages operators, API tokens and alerts"),
}

View = TypeVar("View", bound=Callable[..., object])


def needs(role: str) -> Callable[[View], View]:
    """Mark a view for the guard: only operators of at least this role pass."""

    def mark(view: View) -> View:
        view.role = role  # type: ignore[attr-defined]
        return view

    return mark


def role_of(view: Callable[..., object]) -> str | None:
    """Return the role that a view was marked with."""
    found: str | None = getattr(view, "role", None)
    return found


def covers(role: str, needed: str) -> bool:
    """Tell whether whoever has `role` may do what takes `needed`."""
    return ROLES.index(role) >= ROLES.index(needed)
