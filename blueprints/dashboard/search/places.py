"""The pages of the dashboard that have a name: in the sidebar, for the keys that lead there, and for the search."""

from collections.abc import Sequence
from typing import NamedTuple

from flask import url_for

from blueprints.dashboard import blueprint
from config.words import _, later
from outbound.operations import registry
from security.roles import covers


class Place(NamedTuple):
    """A page: its endpoint and its word, the key that leads there after `g`, and what else it is looked for by. `role`
    is the least that it is for."""

    endpoint: str
    word: str
    key: str = ""
    also: str = ""
    role: str = "viewer"

    @property
    def title(self) -> str:
        return _(self.word)

    @property
    def path(self) -> str:
        return url_for(self.endpoint)


MAIN = (
    Place("dashboard.overview", later("Overview"), "o", "home start"),
    Place("dashboard.list_cohorts", later("Cohorts"), "c"),
    Place("dashboard.list_sessions", later("Sessions"), "s", "exports syncs refreshes diffs"),
    Place("dashboard.list_failures", later("Failures"), "f", "errors refused"),
    Place("dashboard.list_people", later("People"), "p", "members users persons"),
    Place("dashboard.list_destinations", later("Destinations"), "d", "relay webhooks"),
    Place("outbound.compose", later("Send"), "e", "compose calls events"),
    Place("dashboard.list_connections", later("Connections"), "n", "passwords"),
)
FOOT = (
    Place("dashboard.show_settings", later("Settings"), "t"),
    Place("dashboard.show_audit", later("Audit"), "a", "trail log changes"),
)
OTHERS = (
    Place("dashboard.new_connection", later("Create a connection"), also="new add make", role="operator"),
    Place("dashboard.new_destination", later("Connect a destination"), also="new add create", role="operator"),
    Place("outbound.list_saved", later("Saved requests"), also="collections folders tests"),
    Place("outbound.list_imports", later("Imports"), also="upload csv file import"),
    Place("outbound.list_comparisons", later("Comparisons"), also="compare with mixpanel"),
    Place("outbound.list_deliveries", later("History of calls"), also="sent deliveries"),
    Place("outbound.list_projects", later("Projects"), also="credentials mixpanel"),
    Place("dashboard.list_operators", later("Operators"), also="users roles invite add operator"),
    Place("dashboard.list_tokens", later("API tokens"), also="keys new token"),
    Place("dashboard.show_alerts", later("Alerts"), also="email slack notifications"),
    Place("dashboard.list_erasures", later("Erasures"), also="was somebody erased gdpr delete proof"),
    Place(
        "dashboard.show_kept_about_people",
        later("What we keep about people"),
        also="privacy personal data gdpr retention",
    ),
    Place("dashboard.show_account", later("Account"), also="password sign-ins browsers"),
)


def named(words: Sequence[str], role: str) -> list[Place]:
    """Return the pages that have all of these words, small, or beginnings of them, as far as they are for this role."""
    return [
        place
        for place in (*MAIN, *FOOT, *OTHERS)
        if covers(role, place.role) and has_all(f"{place.word} {place.title} {place.also}", words)
    ]


def calls(words: Sequence[str], most: int) -> list[tuple[str, str]]:
    """Return the id and the name of calls to Mixpanel that have all of these words."""
    found = [one for one in registry.OPERATIONS.values() if has_all(f"{one.name} {one.id.replace('-', ' ')}", words)]
    return [(one.id, one.name) for one in found[:most]]


def has_all(text: str, words: Sequence[str]) -> bool:
    """Whether each word is the beginning of one of the text's."""
    parts = text.lower().split()
    return all(any(part.startswith(word) for part in parts) for word in words)


@blueprint.app_context_processor
def surroundings() -> dict[str, object]:
    return {"main_places": MAIN, "foot_places": FOOT}
