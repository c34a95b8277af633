"""The overview: one sentence that says how things are, what is under way, and the last day."""

from blueprints.dashboard.overview import routes, verdict

__all__ = ["routes", "verdict"]
