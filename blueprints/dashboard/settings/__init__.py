"""Settings: values in use, alerts, operators, tokens."""

from blueprints.dashboard.settings import alerts, one_time_links, operators, routes, tokens

__all__ = ["alerts", "one_time_links", "operators", "routes", "tokens"]
