"""Settings: values in use, alerts, operators, tokens."""

from blueprints.dashboard.settings import alerts, operators, routes, tokens

__all__ = ["alerts", "operators", "routes", "tokens"]
