"""Places for backups: a folder, and a bucket of a real server that takes the calls of S3."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from config.settings import Settings
from tests import servers
from tests.conftest import MakeRelay
from tests.relay import Relay

KEYS = {"aws_access_key_id": "AKIAPLANTED", "aws_secret_access_key": "planted-secret"}


@dataclass
class Place:
    """`address` is its BACKUP_TO; `read` gives all that lies there by name, `write` puts something there."""

    address: str
    read: Callable[[], dict[str, bytes]]
    write: Callable[[str, bytes], None]
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def backups(self) -> list[str]:
        """Those that count, the oldest first."""
        found = self.read()
        return sorted(name for name in found if f"{name}.sha256" in found)


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def folder_place(tmp_path: Path) -> Place:
    root = tmp_path / "kept"
    root.mkdir()

    def read() -> dict[str, bytes]:
        found = {}
        for path in root.iterdir():
            with suppress(FileNotFoundError):  # a worker has removed it since
                found[path.name] = path.read_bytes()
        return found

    return Place(str(root), read, lambda name, data: (root / name).write_bytes(data) and None)


def bucket_place(store: str) -> Place:
    client = boto3.client("s3", endpoint_url=store, region_name="us-east-1", **KEYS)
    bucket = f"b-{os.urandom(6).hex()}"
    client.create_bucket(Bucket=bucket)

    def read() -> dict[str, bytes]:
        found = client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {
            item["Key"].removeprefix("relay/one/"): client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            for item in found
        }

    def write(name: str, data: bytes) -> None:
        client.put_object(Bucket=bucket, Key=f"relay/one/{name}", Body=data)

    settings = {
        "backup_s3_endpoint": store,
        "backup_s3_access_key": KEYS["aws_access_key_id"],
        "backup_s3_secret_key": KEYS["aws_secret_access_key"],
    }
    return Place(f"s3://{bucket}/relay/one", read, write, settings)


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return folder_place(tmp_path)
    return bucket_place(request.getfixturevalue("store"))


@pytest.fixture
def backed_up(make_relay: MakeRelay, place: Place, dialect: str) -> Callable[..., Relay]:
    """Makes a relay that has its backups in the place."""
    if dialect == "postgresql":
        for program in ("pg_dump", "pg_restore"):
            if shutil.which(program) is None:
                servers.missing(program)

    def make(**more: Any) -> Relay:
        return make_relay(backup_to=place.address, **place.settings, **more)

    return make


def settings_of(relay: Relay) -> Settings:
    found: Settings = relay.app.extensions["runtime"].settings
    return found
