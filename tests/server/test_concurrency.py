"""A turn is for working; waiting for a client costs none."""

import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.exceptions import RequestTimeout

from server.concurrency import Turns

HEADERS: list[tuple[str, str]] = []


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answers with its body."""
    data = environ["wsgi.input"].read(2)
    start_response("200 OK", HEADERS)
    return [data]


def counting(_environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    """A reply in three pieces."""
    start_response("200 OK", HEADERS)
    return iter([b"1", b"2", b"3"])


def call(turns: Turns, body: Any, *heard: Any) -> Any:
    return turns({"wsgi.input": body}, lambda *said: [keep(said) for keep in heard])


def test_a_request_that_waits_for_its_body_leaves_its_turn_to_another() -> None:
    turns = Turns(echo, turns=1, patience=60)
    reading, writing = os.pipe()
    with ThreadPoolExecutor(2) as pool, os.fdopen(reading, "rb") as slow, os.fdopen(writing, "wb", 0) as sender:
        sender.write(b"a")
        waits = pool.submit(call, turns, slow)
        assert pool.submit(call, turns, io.BytesIO(b"ok")).result(20) == [b"ok"]
        sender.write(b"b")
        assert waits.result(20) == [b"ab"]
    assert not turns.under_way


def test_a_streamed_reply_takes_a_turn_for_each_piece_and_none_while_it_is_read() -> None:
    turns = Turns(counting, turns=1, patience=60)
    streamed = call(turns, io.BytesIO())
    assert next(streamed) == b"1"
    with ThreadPoolExecutor(1) as pool:  # while the first reader takes its time
        assert list(pool.submit(call, turns, io.BytesIO()).result(20)) == [b"1", b"2", b"3"]
    assert list(streamed) == [b"2", b"3"]
    streamed.close()


def test_a_reply_that_waits_for_its_reader_does_not_count_as_work() -> None:
    """Where there is long work, silent connections are spared; a stalled reader must not shield them."""
    turns = Turns(counting, turns=1, patience=60)
    streamed = call(turns, io.BytesIO())
    (body,) = turns.under_way
    assert body.works_since is None
    assert list(streamed) == [b"1", b"2", b"3"]
    assert body.works_since is None
    streamed.close()


def test_a_request_that_fails_gives_its_turn_back() -> None:
    def fails(_environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        raise OSError

    turns = Turns(fails, turns=1, patience=60)
    for _ in range(2):
        with pytest.raises(OSError):  # noqa: PT011
            call(turns, io.BytesIO())
    assert not turns.under_way


def test_a_body_that_ends_early_after_its_time_is_a_timeout_and_a_whole_one_is_read() -> None:
    with pytest.raises(RequestTimeout):
        call(Turns(echo, turns=1, patience=-1), io.BytesIO(b"a"))
    assert call(Turns(echo, turns=1, patience=-1), io.BytesIO(b"ab")) == [b"ab"]


def test_who_leaves_says_so_in_every_reply() -> None:
    turns, heard = Turns(echo, turns=1, patience=60), []
    call(turns, io.BytesIO(b"ok"), heard.append)
    turns.leaving = True
    call(turns, io.BytesIO(b"ok"), heard.append)
    assert heard == [("200 OK", []), ("200 OK", [("Connection", "close")])]
