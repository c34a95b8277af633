"""The floor of an import: read, parse, check, batch, gzip and post with the same library, ten at once, no database.

`python -m benchmarks.import_floor FILE URL` prints the seconds that it took.
"""

import gzip
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
import requests

from outbound.request.checks import check_record, stable_insert_id

AT_ONCE, RECORDS, BYTES = 10, 2000, 10 * 1024 * 1024
NOW = 1_795_000_000_000

own = threading.local()


def post(url: str, body: bytes) -> None:
    if not hasattr(own, "session"):
        own.session = requests.Session()
        own.session.trust_env = False
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    packed = gzip.compress(body, 6, mtime=0)
    answer = own.session.post(f"{url}/api/import?strict=1", data=packed, headers=headers, auth=("u", "s"), timeout=30)
    if answer.json()["status"] != "OK":
        raise SystemExit(answer.text)


def main() -> None:
    path, url = Path(sys.argv[1]), sys.argv[2]
    started = perf_counter()
    room = threading.BoundedSemaphore(AT_ONCE + 2)
    with ThreadPoolExecutor(AT_ONCE) as pool, path.open("rb") as file:

        def flush(encoded: list[bytes]) -> None:
            room.acquire()
            pool.submit(post, url, b"[" + b",".join(encoded) + b"]").add_done_callback(lambda _: room.release())

        held: list[bytes] = []
        size = 0
        for line in file:
            record: dict[str, Any] = msgspec.json.decode(line)
            record["properties"].setdefault("$insert_id", stable_insert_id(record))
            if check_record("imported-event", record, NOW):
                raise SystemExit("the floor's file has a wrong record")
            one = msgspec.json.encode(record)
            if len(held) == RECORDS or size + len(one) > BYTES:
                flush(held)
                held, size = [], 0
            held.append(one)
            size += len(one) + 1
        flush(held)
    print(perf_counter() - started)


if __name__ == "__main__":
    main()
