"""Telling operators what changed, by e-mail, Slack or a signed webhook (F12). See docs/alerts.md."""

from alerts.channels import configured
from alerts.messages import Logged, log
from alerts.runner import is_anybody_told, prune, run_once, send_test, tell
from alerts.subjects import Addresses

__all__ = ["Addresses", "Logged", "configured", "is_anybody_told", "log", "prune", "run_once", "send_test", "tell"]
