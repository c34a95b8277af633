"""What a developer's program does with the API: read an answer, follow pages to their end."""

from typing import Any

from tests.relay import Relay


def read(relay: Relay, path: str, **query: Any) -> dict[str, Any]:
    """An answer that must be there."""
    answer = relay.api(path, **query)
    assert answer.status_code == 200, answer.json
    assert isinstance(answer.json, dict)
    return answer.json


def every(relay: Relay, path: str, **query: Any) -> list[dict[str, Any]]:
    """All rows of a list, page by page."""
    place = "after" if path.endswith("/changes") else "cursor"
    rows: list[dict[str, Any]] = []
    while True:
        page = read(relay, path, **query)
        rows += page["data"]
        if page["next"] is None or not page["data"]:
            return rows
        query[place] = page["next"]


def refusal(relay: Relay, path: str, **query: Any) -> tuple[int, str]:
    """The status and the message of an answer that must be an error."""
    answer = relay.api(path, **query)
    assert answer.is_json
    assert set(answer.json) == {"error"}
    assert set(answer.json["error"]) == {"message", "code"}
    assert answer.json["error"]["code"] == answer.status_code
    return answer.status_code, answer.json["error"]["message"]
