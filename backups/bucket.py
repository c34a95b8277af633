"""A bucket for backups, of whatever takes the calls of S3 (boto3). Large files go in parts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backups.trouble import NotKept, told
from config.backups import BUCKET
from config.settings import Settings

MISSING = "Buckets need boto3, which is not installed: .venv/bin/pip install 'boto3>=1.44'."
CONNECT, READ = 10, 60  # seconds
ATTEMPTS = 4


class Bucket:
    """Raises NotKept where boto3 is missing."""

    def __init__(self, address: str, settings: Settings) -> None:
        self._bucket, _, path = address.removeprefix(BUCKET).partition("/")
        self._prefix = f"{path.strip('/')}/" if path.strip("/") else ""
        self._client = _client(settings)

    def put(self, source: Path, name: str) -> None:
        with _telling():
            self._client.upload_file(str(source), self._bucket, self._prefix + name)

    def fetch(self, name: str, target: Path) -> None:
        with _telling():
            self._client.download_file(self._bucket, self._prefix + name, str(target))

    def head(self, name: str, count: int) -> bytes:
        with _telling():
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name, Range=f"bytes=0-{count - 1}")
            return bytes(found["Body"].read(count))

    def sizes(self) -> dict[str, int]:
        with _telling():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            found = [item for page in pages for item in page.get("Contents", ())]
            return {item["Key"].removeprefix(self._prefix): int(item["Size"]) for item in found}

    def remove(self, name: str) -> None:
        with _telling():
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)


def _client(settings: Settings) -> Any:
    try:
        import boto3  # noqa: PLC0415 - an option
        from botocore.config import Config  # noqa: PLC0415
    except ImportError:
        raise NotKept(MISSING) from None
    config = Config(
        connect_timeout=CONNECT,
        read_timeout=READ,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        # Amazon wants the bucket in the host, everybody else takes it in the path.
        s3={"addressing_style": "path"} if settings.backup_s3_endpoint else {},
        request_checksum_calculation="when_required",  # stores that are not Amazon's do not know the newer ones
        response_checksum_validation="when_required",
    )
    with _telling():
        return boto3.client(
            "s3",
            endpoint_url=settings.backup_s3_endpoint or None,
            region_name=settings.backup_s3_region or None,
            aws_access_key_id=settings.backup_s3_access_key or None,
            aws_secret_access_key=settings.backup_s3_secret_key or None,
            config=config,
        )


@contextmanager
def _telling() -> Iterator[None]:
    from boto3.exceptions import Boto3Error  # noqa: PLC0415 - an option
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {}).get("Code") or "an error"
        raise NotKept(f"The bucket answered {str(said)[:60]}.") from None
    except Boto3Error as error:  # of an upload, with what the bucket said in its text
        said = str(error).partition("An error occurred (")[2].partition(")")[0] or type(error).__name__
        raise NotKept(f"The bucket did not take it: {said[:60]}.") from None
    except (BotoCoreError, ValueError) as error:
        raise NotKept(f"The bucket could not be used ({type(error).__name__}).") from None
    except OSError as error:
        raise NotKept(told(error)) from None
