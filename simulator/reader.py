"""The JSON API as a reader of cohorts sees it: every list page by page, over HTTP."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import requests
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt

from simulator.wire import session

Row = dict[str, Any]

PAGE = 1000  # the API's largest page
WAITING = {429, 503}  # statuses that say when to come again
TIMEOUT = (10, 60)


class CannotRead(Exception):
    """The API did not answer, or refused; the message says which call and what it said."""


class Reader:
    """Reads cohorts from `url` with an API token."""

    def __init__(self, url: str, token: str) -> None:
        self._root = f"{url}/api/v1"
        self._http = session(url)
        self._http.headers["Authorization"] = f"Bearer {token}"
        self._patient = Retrying(
            retry=retry_if_result(lambda answer: answer.status_code in WAITING),
            stop=stop_after_attempt(10),
            wait=_as_told,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )

    def cohorts(self) -> Iterator[Row]:
        return self._rows("/cohorts")

    def cohort(self, project_id: str, cohort_id: str) -> Row | None:
        """Return the cohort, or None where nobody has synced it yet."""
        return self._get(_path(project_id, cohort_id))

    def members(self, project_id: str, cohort_id: str) -> Iterator[Row]:
        return self._rows(f"{_path(project_id, cohort_id)}/members")

    def sessions(self, project_id: str, cohort_id: str) -> Iterator[Row]:
        return self._rows("/sessions", project_id=project_id, cohort_id=cohort_id)

    def changes(self, project_id: str, cohort_id: str) -> Iterator[Row]:
        """Return the whole log, oldest first; `next` is always a cursor, so that an empty page is the end."""
        path, after = f"{_path(project_id, cohort_id)}/changes", None
        while rows := (page := self._must_get(path, after=after, limit=PAGE))["data"]:
            yield from rows
            after = page["next"]

    def _rows(self, path: str, **parameters: str) -> Iterator[Row]:
        cursor = None
        while True:
            page = self._must_get(path, cursor=cursor, limit=PAGE, **parameters)
            yield from page["data"]
            cursor = page["next"]
            if cursor is None:
                return

    def _must_get(self, path: str, **parameters: Any) -> Row:
        found = self._get(path, **parameters)
        if found is None:
            raise CannotRead(f"GET {path}: 404")
        return found

    def _get(self, path: str, **parameters: Any) -> Row | None:
        try:
            answer = self._patient(self._http.get, self._root + path, params=parameters, timeout=TIMEOUT)
            if answer.status_code == requests.codes.not_found:
                return None
            answer.raise_for_status()
            found: Row = answer.json()
        except requests.RequestException as error:
            raise CannotRead(f"GET {path}: {error}") from error
        return found


def _path(project_id: str, cohort_id: str) -> str:
    return f"/projects/{quote(project_id, safe='')}/cohorts/{quote(cohort_id, safe='')}"


def _as_told(state: RetryCallState) -> float:
    """Return the seconds to wait, as the refusal's Retry-After says."""
    answer = state.outcome.result() if state.outcome else None
    return float(answer.headers.get("Retry-After", 1)) if answer is not None else 1
