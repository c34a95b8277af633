"""Sessions: Mixpanel's exports as a list, and one of them with its pages and members."""

from blueprints.dashboard.sessions import members, pages, routes, words

__all__ = ["members", "pages", "routes", "words"]
