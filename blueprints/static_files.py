"""Static files have an address for each version, so that browsers keep them for good and never show an old one.

The version is part of the path: what a stylesheet or a script imports by a relative address has it too.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, g

KEPT = 365 * 24 * 3600  # seconds


def init_app(app: Flask) -> None:
    version = _version(Path(app.static_folder or ""))
    app.add_url_rule("/static/v-<version>/<path:filename>", "static")

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values.setdefault("version", version)

    @app.url_value_preprocessor
    def take_version(endpoint: str | None, values: dict[str, Any] | None) -> None:
        """Take the version out of the address: another one's files are served too, while servers are replaced."""
        if endpoint == "static" and values is not None:
            g.static_version = values.pop("version", None)

    @app.after_request
    def keep(response: Response) -> Response:
        if g.get("static_version") == version and response.status_code in {200, 304}:
            response.headers["Cache-Control"] = f"public, max-age={KEPT}, immutable"
        return response


@lru_cache
def _version(folder: Path) -> str:
    """Return a digest of all files in `folder`, as 12 hexadecimal digits."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(folder)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:12]
