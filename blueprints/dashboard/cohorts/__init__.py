"""Cohorts: all of them, and one with its charts, members, sessions, failures and removal guard."""

from blueprints.dashboard.cohorts import head, members, page, removal_guard, routes, search, tabs

__all__ = ["head", "members", "page", "removal_guard", "routes", "search", "tabs"]
