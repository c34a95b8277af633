"""Connections: the list, one of them, a new one, and what is done to them."""

from blueprints.dashboard.connections import changes, keeping, new, routes

__all__ = ["changes", "keeping", "new", "routes"]
