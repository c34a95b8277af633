"""Connections: the list, one of them, a new one, and what is done to them."""

from blueprints.dashboard.connections import changes, new, routes

__all__ = ["changes", "new", "routes"]
