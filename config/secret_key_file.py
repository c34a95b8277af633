"""The file of the instance folder that holds SECRET_KEY where nobody has set it."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from config.instance_files import WrongSetting
from config.key_strength import is_random_enough

NAME = "secret-key"


def key_in(path: Path) -> str:
    """Return the key in `path`, and make one on first use; linking it into place lets two processes that start at once
    agree. Raises WrongSetting where the file holds no key, and OSError."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    kept = path.read_bytes().decode(errors="replace").strip()
    if not is_random_enough(kept):
        raise WrongSetting(
            f"The file {path} holds no key that is good enough: it is empty, cut short, or was written by hand. Put it"
            " back from your backup; where there is none and nothing is stored yet, remove it, and another one is made."
        )
    return kept
