"""Events that are equal to one before them: without an `$insert_id` of their own Mixpanel counts them once."""

from typing import Any

REMEMBERED = 200_000  # events; an equal one further ahead is not noticed


class DuplicateEvents:
    """Remembers the newest `$insert_id`s that were made from the content of an event."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self.most = most
        self.seen: dict[int, None] = {}

    def is_duplicate(self, given: dict[str, Any], prepared: dict[str, Any]) -> bool:
        """Tell whether the `$insert_id` that was filled in is that of an event before."""
        own, properties = given.get("properties"), prepared.get("properties")
        if not isinstance(own, dict) or own.get("$insert_id") or not isinstance(properties, dict):
            return False
        made = properties.get("$insert_id")
        if made is None:
            return False
        key = int(made[:15], 16)
        if key in self.seen:
            return True
        self.seen[key] = None
        if len(self.seen) > self.most:
            del self.seen[next(iter(self.seen))]
        return False
