"""Settings: values in use, alerts, operators, tokens."""

from blueprints.dashboard.settings import alert_channels, alerts, one_time_links, operators, routes, tokens

__all__ = ["alert_channels", "alerts", "one_time_links", "operators", "routes", "tokens"]
