"""A bucket that takes the calls of S3. botocore signs them; our own client, which looks at addresses, makes them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import quote

from destinations.contract import Check, Opened, Refusal
from destinations.files.place import NotWritten
from destinations.transport import FIRST_REFUSAL, HTTP, REDIRECTS, Reply, WrongAddress

MISSING = "Buckets need botocore, which is not installed: .venv/bin/pip install 'botocore>=1.44'."
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_PREFIX = re.compile(r"(?:[A-Za-z0-9_=-][A-Za-z0-9._=-]*/?)*")
Sign = Callable[[str, str, bytes | None], Mapping[str, str]]  # of method, address and body


class Bucket:
    """Raises WrongAddress where the settings cannot be used, ImportError where botocore is missing."""

    def __init__(self, opened: Opened) -> None:
        settings, region = opened.settings, str(opened.settings.get("region") or "us-east-1")
        bucket, endpoint = str(settings["bucket"]), str(settings.get("endpoint") or "").rstrip("/")
        prefix = str(settings.get("path") or "").strip("/")
        if not _BUCKET.fullmatch(bucket) or not _REGION.fullmatch(region) or not _PREFIX.fullmatch(prefix):
            raise WrongAddress("A bucket, its region and a path in it have small letters, digits, - and . of ASCII.")
        # Amazon wants the bucket in the host, everybody else takes it in the path.
        self._base = f"{endpoint}/{bucket}" if endpoint else f"https://{bucket}.s3.{region}.amazonaws.com"
        self._prefix = f"{prefix}/" if prefix else ""
        self._http = HTTP(opened, self._base)
        self._sign = _signer(str(settings.get("access_key") or ""), _secret(opened), region)

    def check(self) -> Check:
        reply = self._call("HEAD", f"{self._base}/")
        if reply.refusal is not None:
            return Check(ok=False, told=str(_judged(reply, reply.refusal)))
        return Check(ok=True, told="The bucket is there, and takes these keys.")

    def write(self, files: list[tuple[str, bytes]]) -> None:
        for path, data in files:
            reply = self._call("PUT", f"{self._base}/{quote(self._prefix + path)}", data)
            if reply.refusal is not None:
                raise _judged(reply, reply.refusal)

    def close(self) -> None:
        self._http.close()

    def _call(self, method: str, url: str, data: bytes | None = None) -> Reply:
        return self._http.call(method, url, data, self._sign(method, url, data))


def _judged(reply: Reply, refusal: Refusal) -> NotWritten:
    """What an answer without success means: as everywhere, but that a redirect is another region's bucket."""
    if reply.status is not None and REDIRECTS <= reply.status < FIRST_REFUSAL:
        refusal = replace(refusal, kind="gone", told=f"It answered {reply.status}: the bucket is in another region.")
    return NotWritten(refusal, reply.status, reply.text)


def _secret(opened: Opened) -> str:
    return next(iter(opened.secrets.get("secret_key", ())), "")


def _signer(access_key: str, secret_key: str, region: str) -> Sign:
    """Return what makes the headers of a call. Raises ImportError and WrongAddress."""
    try:
        from botocore.auth import S3SigV4Auth  # noqa: PLC0415 - an option
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.credentials import Credentials  # noqa: PLC0415
    except ImportError:
        raise ImportError(MISSING) from None
    if not access_key or not secret_key:
        raise WrongAddress("A bucket needs an access_key, and the secret secret_key.")
    signer = S3SigV4Auth(Credentials(access_key, secret_key), "s3", region)

    def sign(method: str, url: str, data: bytes | None) -> Mapping[str, str]:
        request = AWSRequest(method, url, data=data)
        signer.add_auth(request)
        return dict(request.headers.items())

    return sign
