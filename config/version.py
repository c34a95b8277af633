"""The version of this code, whose one home is pyproject.toml. It is read from there and not from what is installed:
the relay runs from its folder, as it was checked out, unpacked or copied into an image."""

import tomllib
from pathlib import Path

_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"

VERSION: str = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]
