"""Whole answers: kept as a whole however long, and never called whole when they are not."""

import gzip
import json
import os
import threading
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.counts import counted
from outbound import cleanup, deliveries, send
from outbound.downloads import pages, progress
from outbound.downloads.completeness import LONGEST_LINE, Document, Lines, Masked
from outbound.downloads.errors import BrokenOff
from outbound.downloads.folder import folder_of
from outbound.downloads.progress import Download
from outbound.downloads.receiver import Receiver
from outbound.downloads.targets import KeptFile
from outbound.operations import registry
from outbound.operations.registry import OPERATIONS
from outbound.operations.types import CallInput
from outbound.projects import Project
from outbound.request.masking import MASK, Mask
from outbound.transport import client
from outbound.transport.attempts import Attempt, Outcome, Trail
from outbound.transport.decompression import Damaged, unpacked
from runtime import Runtime
from tests.mixpanel import Answer, Call, Mixpanel
from tests.outbound.conftest import SECRET
from tests.relay import Relay

DAYS = {"from_date": "2026-01-01", "to_date": "2026-01-02"}
EXPORT = "/export/export"
MB = 1024 * 1024


def line(number: int) -> bytes:
    return json.dumps({"event": "E", "properties": {"distinct_id": f"u{number}", "text": "x" * 80}}).encode() + b"\n"


def lines(count: int) -> bytes:
    return b"".join(map(line, range(count)))


def ask(
    runtime: Runtime, project: Project, operation: str = "raw-event-export", params: Any = DAYS
) -> tuple[int, Outcome]:
    call = send.ready(runtime, project, registry.OPERATIONS[operation], CallInput(params))
    assert call.composed.stops(force=False) == []
    return send.send(runtime, call, "tests", "dashboard")


def download(runtime: Runtime, delivery: int) -> Download:
    found = runtime.database.read(lambda db: progress.of(db, delivery))
    assert found is not None
    return found


def kept(runtime: Runtime, delivery: int) -> Path:
    path = folder_of(runtime).file(download(runtime, delivery).file or "")
    assert path is not None
    return path


# --- an export


def test_a_long_export_is_kept_whole_in_a_file_that_only_we_may_read(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    content = lines(30_000)
    mixpanel.script(
        EXPORT, Answer(pieces=lambda: iter([content[i : i + 70_000] for i in range(0, len(content), 70_000)]))
    )
    delivery, outcome = ask(runtime, project)
    assert (outcome.verdict, outcome.words) == ("accepted", f"Whole: 30,000 events, {len(content) / MB:.1f} MB.")
    path = kept(runtime, delivery)
    assert path.read_bytes() == content
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    row = runtime.database.read(lambda db: deliveries.by_id(db, delivery))
    assert row is not None
    assert len(row.answer or "") <= deliveries.KEPT + 1


BAD_ENDS = {
    "Mixpanel's own words": b"terminated early",
    "words on a line of their own": b"export terminated early\n",
    "half a line": b'{"event":"E","prop',
    "an error as JSON": b'{"error": "export terminated early"}\n',
    "no event": b'{"status": "error"}\n',
    "a list": b"[1, 2]\n",
    "a page of HTML": b"<html>504</html>\n",
}


@pytest.mark.parametrize("end", BAD_ENDS.values(), ids=BAD_ENDS)
@pytest.mark.parametrize("more", [b"", lines(2)], ids=["last", "with more behind it"])
@pytest.mark.parametrize("before", [1, 5000])
def test_an_export_that_ends_in_anything_but_an_event_broke_off(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, end: bytes, more: bytes, before: int
) -> None:
    mixpanel.script(EXPORT, Answer(body=lines(before) + end + (b"\n" + more if more else b"")))
    delivery, outcome = ask(runtime, project)
    assert outcome.verdict == "failed"
    assert outcome.words.startswith(f"Broken off after {counted(before, 'record')}: ")
    found = download(runtime, delivery)
    assert (found.state, found.records, found.size) == ("broken", before, len(lines(before)))
    assert len(mixpanel.to(EXPORT)) == 1


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_connection_that_ends_early_is_an_export_that_broke_off(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, packed: bool, chunked: bool
) -> None:
    content = lines(20_000)
    sent = gzip.compress(content) if packed else content
    headers = {"Content-Encoding": "gzip"} if packed else {}
    third = len(sent) // 3
    answer = Answer(body=sent, headers=headers, cut=True)
    if chunked:
        answer = Answer(pieces=lambda: iter([sent[:third]]), headers=headers, cut=True)
    mixpanel.script(EXPORT, answer)
    _delivery, outcome = ask(runtime, project)
    assert outcome.verdict == "failed"
    assert "Broken off after" in outcome.words


def test_gzip_that_ends_early_within_a_whole_body_is_broken_off(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    packed = gzip.compress(lines(20_000))[:-2000]
    mixpanel.script(EXPORT, Answer(body=packed, headers={"Content-Encoding": "gzip"}))
    _delivery, outcome = ask(runtime, project)
    assert (outcome.verdict, "no end" in outcome.words) == ("failed", True)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=5000), st.integers(1, 700), st.data())
def test_packed_answers_come_out_as_they_went_in_or_are_damaged(content: bytes, size: int, data: st.DataObject) -> None:
    packed = gzip.compress(content) + gzip.compress(b"more")
    pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
    assert b"".join(unpacked(pieces, "gzip")) == content + b"more"
    short = packed[: data.draw(st.integers(1, len(gzip.compress(content)) - 1))]
    with pytest.raises(Damaged):
        list(unpacked([short], "gzip"))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 30), st.integers(1, 300), st.data())
def test_lines_are_counted_however_they_are_cut_into_pieces(count: int, size: int, data: st.DataObject) -> None:
    content = lines(count)
    scan = Lines()
    found = b"".join(scan.take(content[at : at + size]) for at in range(0, len(content), size)) + scan.end()
    assert (found, scan.records) == (content, count)
    if count:
        cut = data.draw(st.integers(1, len(content) - 2))
        again = Lines()
        whole = content[:cut].count(b"\n")
        try:
            again.take(content[:cut])
            again.end()
            assert content[cut : cut + 1] == b"\n" or content[cut - 1 : cut] == b"\n"
        except BrokenOff:
            assert again.records == whole


VALUES = st.recursive(
    st.none() | st.text() | st.integers(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
)


@settings(max_examples=150, deadline=None)
@given(st.lists(VALUES) | st.dictionaries(st.text(), VALUES), st.booleans(), st.integers(1, 9), st.data())
def test_json_is_whole_or_has_no_end(value: Any, ascii_only: bool, size: int, data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "replace")

    def scanned(content: bytes) -> None:
        scan = Document()
        for at in range(0, len(content), size):
            scan.take(content[at : at + size])
        scan.end()

    scanned(text)
    with pytest.raises(BrokenOff):
        scanned(text[: data.draw(st.integers(1, len(text) - 1))])


@pytest.mark.slow
def test_memory_stays_flat_however_long_an_export_is(runtime: Runtime, project: Project, mixpanel: Mixpanel) -> None:
    piece = lines(1000)

    def pieces(count: int) -> Iterator[bytes]:
        yield from (piece for _ in range(count))

    peaks = []
    for count in (50, 800):
        mixpanel.script(EXPORT, Answer(pieces=lambda count=count: pieces(count)))
        tracemalloc.start()
        assert ask(runtime, project)[1].verdict == "accepted"
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 4 * MB, peaks


# --- other answers


def test_a_long_answer_of_any_kind_is_kept_and_said_to_be_whole(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    answer = {"results": {"a": "x" * (17 * MB)}}
    mixpanel.script("/query/insights", Answer(body=answer))
    delivery, outcome = ask(runtime, project, "insights-query", {"bookmark_id": 1})
    assert (outcome.verdict, outcome.words) == ("accepted", "Mixpanel answered with 17.0 MB, whole.")
    assert json.loads(kept(runtime, delivery).read_bytes()) == answer


def test_a_long_answer_that_ends_early_is_no_success(runtime: Runtime, project: Project, mixpanel: Mixpanel) -> None:
    mixpanel.script("/query/insights", Answer(body=b'{"results": {"a": "' + b"x" * MB))
    assert ask(runtime, project, "insights-query", {"bookmark_id": 1})[1].verdict == "failed"


def test_a_binary_answer_is_a_file_byte_by_byte(runtime: Runtime, project: Project, mixpanel: Mixpanel) -> None:
    content = bytes(range(256)) * 3
    mixpanel.script("/api/blob", Answer(body=content))
    delivery, _ = ask(runtime, project, "raw-request", {"url": "/blob", "response_type": "binary"})
    assert kept(runtime, delivery).read_bytes() == content


def test_an_answer_that_was_to_be_json_and_is_none_is_no_success(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    mixpanel.script("/api/page", Answer(body="<html></html>"))
    for kind, verdict in (("json", "failed"), ("text", "accepted")):
        assert ask(runtime, project, "raw-request", {"url": "/page", "response_type": kind})[1].verdict == verdict


def test_a_raw_export_is_looked_at_line_by_line_too(runtime: Runtime, project: Project, mixpanel: Mixpanel) -> None:
    mixpanel.script(EXPORT, Answer(body=lines(3) + b"terminated early"))
    _, outcome = ask(runtime, project, "raw-request", {"url": "/export", "family": "export"})
    assert outcome.words.startswith("Broken off after 3 records")


def test_credentials_that_are_repeated_are_masked_in_the_file(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    content = lines(4000) + json.dumps({"event": "E", "properties": {"a": SECRET}}).encode()
    mixpanel.script(EXPORT, Answer(body=content))
    delivery, _ = ask(runtime, project)
    found = kept(runtime, delivery).read_text()
    assert SECRET not in found
    assert MASK in found


@given(st.lists(st.binary(max_size=30), max_size=20), st.integers(0, 100))
def test_a_credential_is_masked_wherever_it_is_cut(around: list[bytes], size: int) -> None:
    content = b"planted-secret".join(around)
    masked = Masked(Mask("planted-secret"))
    step = size + 1
    found = b"".join(masked.take(content[at : at + step]) for at in range(0, len(content), step)) + masked.end()
    assert b"planted-secret" not in found
    assert found == content.replace(b"planted-secret", MASK.encode())


# --- stopping, room, age


def endless(begun: threading.Event) -> Iterator[bytes]:
    for number in range(10_000):
        yield lines(100)
        if number == 50:
            begun.set()
        time.sleep(0.002 if number > 50 else 0)


def test_an_answer_that_is_cancelled_while_it_comes_keeps_what_came(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    begun = threading.Event()
    mixpanel.script(EXPORT, Answer(pieces=lambda: endless(begun)))
    call = send.ready(runtime, project, registry.OPERATIONS["raw-event-export"], CallInput(DAYS))
    delivery = send.prepare(runtime, call, "tests", "dashboard")
    thread = threading.Thread(target=send.finish, args=(runtime, call, delivery))
    thread.start()
    assert begun.wait(20)
    assert runtime.database.write(lambda db: progress.cancel(db, delivery, runtime.clock()))
    thread.join(30)
    found = download(runtime, delivery)
    assert (found.state, kept(runtime, delivery).stat().st_size) == ("cancelled", found.size)
    assert not runtime.database.write(lambda db: progress.cancel(db, delivery, runtime.clock()))


def test_kept_answers_have_a_size_together_and_the_oldest_go(
    relay: Relay, runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    runtime.settings.max_downloads_mb = 20
    mixpanel.script(EXPORT, Answer(body=lines(50_000)))
    first, _ = ask(runtime, project)
    second, _ = ask(runtime, project)
    third, _ = ask(runtime, project)
    sizes = [folder_of(runtime).file(download(runtime, one).file or "") is not None for one in (first, second, third)]
    assert sizes == [False, True, True]
    assert folder_of(runtime).used() <= 20 * MB
    runtime.settings.max_downloads_mb = 1
    relay.clock.forward(2000)
    _, outcome = ask(runtime, project)
    assert (outcome.verdict, "MAX_DOWNLOADS_MB" in outcome.words) == ("failed", True), outcome.words


def test_kept_answers_go_when_they_are_old_and_files_of_nobody_with_them(
    relay: Relay, runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    mixpanel.script(EXPORT, Answer(body=lines(5000)))
    delivery, _ = ask(runtime, project)
    path = kept(runtime, delivery)
    for name, age in (("nobodys", 1000), ("somebodys soon", 0)):
        (folder_of(runtime).path / name).write_text("x")
        os.utime(folder_of(runtime).path / name, (time.time() - age,) * 2)
    cleanup.tidy_downloads(runtime.database, folder_of(runtime), 24, relay.clock())
    assert path.exists()
    cleanup.tidy_downloads(runtime.database, folder_of(runtime), 24, relay.clock() + 25 * 3600_000)
    assert (path.exists(), download(runtime, delivery).file) == (False, None)
    assert [one.name for one in folder_of(runtime).path.iterdir()] == ["somebodys soon"]


# --- profiles, page by page


def profiles(total: int, **more: Any) -> Any:
    """Mixpanel's pages of so many profiles."""

    def answer(call: Call) -> Answer:
        page = int(call.form.get("page", 0))
        assert page == 0 or call.form["session_id"] == "the-session"
        here = range(total)[page * 1000 : (page + 1) * 1000]
        found = [{"$distinct_id": f"u{n}", "$properties": {}} for n in here]
        body = {"page": page, "page_size": 1000, "session_id": "the-session", "status": "ok", "total": total}
        return Answer(body=body | {"results": found} | more)

    return answer


@pytest.mark.parametrize("total", [0, 1, 999, 1000, 2500])
def test_all_pages_of_profiles_are_one_answer(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, total: int
) -> None:
    mixpanel.script("/query/engage", profiles(total))
    delivery, outcome = ask(runtime, project, "engage-query", {"every_page": True})
    pages = total // 1000 + 1
    assert (outcome.verdict, outcome.words) == (
        "accepted",
        f"Whole: {counted(total, 'profile')} in {counted(pages, 'page')}.",
    )
    assert len(mixpanel.to("/query/engage")) == pages
    found = download(runtime, delivery)
    assert (found.state, found.records) == ("whole", total or None)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"page": 0, "results": [{"$distinct_id": str(n)} for n in range(1000)]}, "same page again"),
        ({"session_id": None}, "no session"),
        ({"results": {}}, "no page of profiles"),
    ],
)
def test_pages_that_lead_nowhere_end_within_a_few_calls(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, more: dict[str, Any], reason: str
) -> None:
    mixpanel.script("/query/engage", profiles(5000, **more))
    _, outcome = ask(runtime, project, "engage-query", {"every_page": True})
    assert (outcome.verdict, reason in outcome.words) == ("failed", True), outcome.words
    assert len(mixpanel.to("/query/engage")) <= 2


@pytest.mark.slow
def test_pages_stay_within_the_hours_queries_and_say_how_to_go_on(
    runtime: Runtime, project: Project, mixpanel: Mixpanel
) -> None:
    mixpanel.script("/query/engage", profiles(70_000))
    delivery, outcome = ask(runtime, project, "engage-query", {"everyPage": "true"})
    assert len(mixpanel.to("/query/engage")) == 60
    assert len(kept(runtime, delivery).read_bytes().splitlines()) == 60_000
    said = "Broken off after 60,000 profiles in 60 pages: page 60: Not sent: The 60 queries of an hour are used"
    assert outcome.words.startswith(said)
    assert outcome.words.endswith("To go on: session_id the-session, page 60.")


# --- bounds


def test_a_line_of_an_export_is_held_up_to_so_many_bytes() -> None:
    assert LONGEST_LINE == 8 * MB
    event = b'{"event": "E", "text": "'
    scan, piece = Lines(), b"x" * MB
    assert scan.take(event) == b""
    for _ in range(7):
        assert scan.take(piece) == b""
    assert scan.take(b'"}\n') == event + piece * 7 + b'"}\n'
    for _ in range(8):
        scan.take(piece)
    with pytest.raises(BrokenOff, match="longer than any event"):
        scan.take(b"x")


def test_of_all_tries_of_an_answer_in_pages_the_last_are_told(runtime: Runtime) -> None:
    assert pages.MOST_TRIES == 200
    tried = Trail([Attempt(number, 1, 503, None, 0) for number in range(3)])
    receiver = Receiver(
        OPERATIONS["engage-query"], Mask(), KeptFile(folder_of(runtime)), lambda *_: False, lasting=True
    )
    numbers = iter(range(1, 101))

    def ask(_given: CallInput) -> Outcome:
        number = next(numbers)
        found = [{"$distinct_id": f"u{number}"}] * (1000 if number < 100 else 1)
        body = json.dumps({"results": found, "page_size": 1000, "session_id": "s"}).encode()
        return Outcome("accepted", "", 0, (), replace(tried, answer=client.Answer(200, {}, body, 1)), 1)

    outcome = pages.every(CallInput({}), ask, receiver)
    assert outcome.words == "Whole: 99,001 profiles in 100 pages."
    assert len(outcome.trail.attempts) == 200
