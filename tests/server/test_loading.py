"""The garbage collector waits while the app is imported, and works from then on."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

SEEN = """
import gc
walks = []
gc.callbacks.append(lambda phase, info: walks.append(phase))
before = len(walks)
import app
print(len(walks) - before, gc.isenabled(), gc.get_freeze_count() > 100_000)
"""


def test_nothing_is_collected_while_the_app_is_imported_and_what_it_loaded_is_never_walked_again() -> None:
    done = subprocess.run([sys.executable, "-c", SEEN], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True", "True"]
