"""Litestream by the recipe: it follows a relay that is at work, is killed, and brings back all that had arrived."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from app import create_app
from backups import copies
from tests import servers
from tests.backups.conftest import KEYS
from tests.backups.test_making import said
from tests.conftest import settings_for
from tests.failing.books import Books
from tests.failing.server import BIN, ROOT, wait_until
from tests.relay import Relay

pytestmark = [pytest.mark.slow, pytest.mark.server]


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
def program() -> str:
    found = shutil.which("litestream", path=f"{BIN}:{os.environ['PATH']}")
    if found is None:
        servers.missing("Litestream")
    return str(found)


@pytest.fixture
def environment(store: str, tmp_path: Path) -> dict[str, str]:
    bucket = f"b-{os.urandom(6).hex()}"
    boto3.client("s3", endpoint_url=store, region_name="us-east-1", **KEYS).create_bucket(Bucket=bucket)
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return ours | {
        "RELAY_DATABASE": str(tmp_path / "cohort-relay.db"),
        "BACKUP_BUCKET": bucket,
        "BACKUP_REGION": "us-east-1",
        "BACKUP_ENDPOINT": store,
        "LITESTREAM_ACCESS_KEY_ID": KEYS["aws_access_key_id"],
        "LITESTREAM_SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
    }


def words(program: str, *more: str | Path) -> list[str]:
    return [program, str(more[0]), "-config", str(ROOT / "deploy" / "litestream.yml"), *map(str, more[1:])]


@pytest.fixture
def following(relay: Relay, program: str, environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen]:
    with (tmp_path / "litestream.log").open("wb") as log:
        process = subprocess.Popen(words(program, "replicate"), env=environment, stdout=log, stderr=log)
    yield process
    process.kill()
    process.wait()


def test_what_it_has_sent_brings_back_a_relay_that_answers_the_same(
    relay: Relay, following: subprocess.Popen, program: str, environment: dict[str, str], tmp_path: Path
) -> None:
    for number in range(5):
        relay.refresh({"ada", f"p{number}"}, session=f"s{number}")
    before = said(relay.app, relay.token)
    target = tmp_path / "back" / "cohort-relay.db"
    target.parent.mkdir()

    def is_there() -> bool:
        """All of it has arrived, within some seconds."""
        target.unlink(missing_ok=True)
        command = words(program, "restore", "-o", target, environment["RELAY_DATABASE"])
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        return done.returncode == 0 and Books(f"sqlite:///{target}").members() == {"ada", "p4"}

    wait_until(is_there, 60, "all that was written, in the bucket")
    following.kill()
    other = create_app(settings_for(tmp_path / "back", database_url=f"sqlite:///{target}"))
    settings = other.extensions["runtime"].settings
    assert copies.revision_in(target, settings) == copies.revision_in(tmp_path / "cohort-relay.db", settings)
    assert said(other, relay.token) == before
    Books(f"sqlite:///{target}").assert_balanced()
    other.extensions["runtime"].database.dispose()
