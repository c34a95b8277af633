"""One search: people, cohorts, connections, destinations, sessions, calls to send, pages and what can be done."""

from blueprints.dashboard.search import find, places, routes

__all__ = ["find", "places", "routes"]
