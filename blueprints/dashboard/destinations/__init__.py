"""Destinations: where changes go, which cohorts go there, and what became of every message."""

from blueprints.dashboard.destinations import (
    acts,
    asking,
    changes,
    comparison,
    messages,
    new,
    routes,
    subscribing,
    subscription,
    terms,
)

__all__ = [
    "acts",
    "asking",
    "changes",
    "comparison",
    "messages",
    "new",
    "routes",
    "subscribing",
    "subscription",
    "terms",
]
