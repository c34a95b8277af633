"""People: found, shown with their profile and their line of time."""

from blueprints.dashboard.people import routes, timeline

__all__ = ["routes", "timeline"]
