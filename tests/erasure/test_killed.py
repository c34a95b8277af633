"""An erasure whose process is killed goes on where it was when it is asked for again (S10)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from erasure import Eraser
from tests.erasure.planted import ID, PROJECT, in_files, stored
from tests.erasure.test_erase import WHO
from tests.erasure.test_everywhere import LOST
from tests.failing.server import ROOT, SECRET_KEY
from tests.relay import Relay

pytestmark = pytest.mark.slow


def test_s10_killed_again_and_again_it_ends_with_everything_gone_and_counted_once(
    planted: Relay, here: Eraser, database_url: str, tmp_path: Path
) -> None:
    ours = {"INSTANCE_PATH": str(tmp_path), "DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY}
    dying = [sys.executable, "-m", "tests.erasure.dying", PROJECT, ID]
    deaths = subprocess.run(dying, cwd=ROOT, env=os.environ | ours, check=True, capture_output=True).stdout
    assert int(deaths) >= 4
    (proof,) = here.erased(WHO)
    assert (proof.counts, proof.erased_at is not None) == (LOST, True)
    assert stored(planted) == {}
    assert in_files(tmp_path) == []
