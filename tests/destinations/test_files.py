"""Files of changes: what they hold, and that the same changes make the same file, in all three places for them."""

import base64
import csv
import gzip
import hashlib
import io
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations.contract import Erasing, Feed
from destinations.files.content import COLUMNS, LONGEST_PART, file_of, safe
from destinations.transport import WrongAddress
from destinations.types.files import FILES, FilesAdapter
from tests import servers
from tests.destinations.far_end import FEED, change, opened
from tests.mixpanel import Answer, Mixpanel, stand_in
from tests.outbound.talking_server import talking_server

KEYS = {"secret_key": ["planted-secret-of-the-bucket"]}
CHANGES = [change(2, "bob", "left"), change(1, "ada", fields={"email": "ada@example.com"})]


def adapter(
    settings: dict[str, Any], secrets: dict[str, list[str]] | None = None, *, private: bool = True
) -> FilesAdapter:
    given = {setting.name: setting.default for setting in FILES.settings if not setting.secret} | settings
    found = FILES.open(opened({"timeout_seconds": 5} | given, secrets, private=private))
    assert isinstance(found, FilesAdapter)
    return found


# --- what they hold


def test_a_line_says_who_what_and_when(tmp_path: Path) -> None:
    first, second = adapter({"path": str(tmp_path)}).preview(FEED, CHANGES).splitlines()
    assert json.loads(first) == {
        "id": "dlv_1",
        "type": "cohort.member.entered",
        "timestamp": "2026-05-28T20:26:39.000Z",
        "project_id": "1234567",
        "cohort_id": "987",
        "cohort_name": "Paying users",
        "identity": "ada",
        "distinct_id": "ada",
        "entry_number": 1,
        "session_id": 12,
        "fields": {"email": "ada@example.com"},
    }
    assert (json.loads(second)["id"], json.loads(second)["type"]) == ("dlv_2", "cohort.member.left")


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(WORDS, st.dictionaries(WORDS, WORDS | st.integers() | st.none(), max_size=3))
def test_csv_is_read_as_it_was_written_but_for_formulas(name: str, fields: dict[str, Any]) -> None:
    text = file_of(FEED, [change(1, name, fields=fields)], "csv", packed=False).data.decode()
    head, row = csv.reader(io.StringIO(text, newline=""))
    assert tuple(head) == COLUMNS
    found = dict(zip(head, row, strict=True))
    assert found["identity"].removeprefix("'") == name.removeprefix("'")
    assert json.loads(found["fields"]) == fields
    assert not {cell[:1] for cell in row} & set("=+-@\t\r")


def test_a_formula_is_disarmed_in_csv_and_stays_as_it_is_in_ndjson() -> None:
    changes = [change(1, "=cmd|calc")]
    assert b",'=cmd|calc," in file_of(FEED, changes, "csv", packed=False).data
    assert b'"=cmd|calc"' in file_of(FEED, changes, "ndjson", packed=False).data


def test_the_manifest_counts_and_has_the_digest_of_the_bytes() -> None:
    for form in ("ndjson", "csv"):
        for packed in (False, True):
            file = file_of(FEED, CHANGES, form, packed=packed)
            manifest = json.loads(file.manifest)
            assert manifest["sha256"] == hashlib.sha256(file.data).hexdigest()
            assert (manifest["changes"], manifest["entered"], manifest["left"], manifest["erased"]) == (2, 1, 1, 0)
            assert (manifest["bytes"], manifest["sessions"]) == (len(file.data), [12])
            assert file.path.endswith(manifest["file"])
            assert manifest["file"].endswith({False: form, True: f"{form}.gz"}[packed])
            if packed:
                assert gzip.decompress(file.data) == file_of(FEED, CHANGES, form, packed=False).data


def test_the_same_changes_are_the_same_file_in_whatever_order_and_others_are_another() -> None:
    one, other = (file_of(FEED, changes, "ndjson", packed=True) for changes in (CHANGES, CHANGES[::-1]))
    assert one == other
    assert file_of(FEED, [*CHANGES, change(3, "eve")], "ndjson", packed=True).path != one.path


def test_names_sort_as_the_messages_came() -> None:
    numbers = [1, 9, 10, 99, 100, 12_345]
    paths = [file_of(FEED, [change(number)], "ndjson", packed=False).path for number in numbers]
    assert paths == sorted(paths)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_an_id_is_it_is_one_part_of_a_path(part: str) -> None:
    found = safe(part)
    assert 0 < len(found) <= LONGEST_PART
    assert found.isascii()
    assert not set(found) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@given(st.sets(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), min_size=2, max_size=6))
def test_two_ids_are_never_one_part(parts: set[str]) -> None:
    assert len({safe(part) for part in parts}) == len(parts)


# --- where they go


@dataclass
class Place:
    """A place for files: its adapter, and what is in it by path."""

    open: Callable[..., FilesAdapter]
    read: Callable[[], dict[str, bytes]]


@pytest.fixture
def folder(tmp_path: Path) -> Place:
    root = tmp_path / "drop"
    root.mkdir()
    return Place(lambda **more: adapter({"path": str(root)} | more), lambda: files_in(root))


@pytest.fixture
def bucket(moto: str) -> Place:
    import boto3

    store = boto3.client(
        "s3", endpoint_url=moto, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
    )
    name = f"b-{os.urandom(6).hex()}"
    store.create_bucket(Bucket=name)
    settings = {"bucket": name, "endpoint": moto, "access_key": "k", "path": "from/relay=1/"}

    def read() -> dict[str, bytes]:
        found = store.list_objects_v2(Bucket=name).get("Contents", [])
        return {
            item["Key"].removeprefix("from/relay=1/"): store.get_object(Bucket=name, Key=item["Key"])["Body"].read()
            for item in found
        }

    return Place(lambda **more: adapter(settings | more, KEYS), read)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def sftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.SftpServer]:
    with servers.sftp_server(tmp_path_factory.mktemp("sshd")) as found:
        yield found


def sftp_settings(server: servers.SftpServer, root: Path) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": server.port,
        "user": server.user,
        "host_key": server.host_key,
        "path": str(root),
    }


@pytest.fixture
def sftp(sftp_server: servers.SftpServer, tmp_path: Path) -> Place:
    root = tmp_path / "drop"
    root.mkdir()
    settings = sftp_settings(sftp_server, root)
    secrets = {"private_key": [sftp_server.private_key]}
    return Place(lambda **more: adapter(settings | more, secrets), lambda: files_in(root))


def files_in(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(params=["folder", "bucket", "sftp"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


def test_a_file_and_its_manifest_are_there_and_a_repeat_overwrites_them(place: Place) -> None:
    with closing(place.open(gzip=True)) as files:
        assert files.check().ok
        assert place.read() == {}
        for _ in range(2):
            outcome = files.send(FEED, CHANGES)
            assert {number: verdict.outcome for number, verdict in outcome.verdicts.items()} == {
                1: "applied",
                2: "applied",
            }
        wanted = file_of(FEED, CHANGES, "ndjson", packed=True)
        assert place.read() == {wanted.path: wanted.data, wanted.manifest_path: wanted.manifest}


def test_ids_that_look_like_paths_stay_inside(place: Place) -> None:
    with closing(place.open()) as files:
        outcome = files.send(Feed(1, "../..", "/etc/../x\0", "odd"), [change()])
        assert outcome.refusal is None
        assert {path.count("/") for path in place.read()} == {2}
        assert not any(".." in path for path in place.read())


def test_somebody_who_is_to_be_forgotten_is_told(place: Place) -> None:
    with closing(place.open()) as files:
        assert isinstance(files, Erasing)
        files.erase(FEED, change(5, "ada", "erased"))
        (data,) = (data for path, data in place.read().items() if path.endswith(".ndjson"))
        assert json.loads(data)["type"] == "person.erased"


# --- a folder


def test_a_folder_that_is_not_there_waits_for_a_person_and_is_not_made(tmp_path: Path) -> None:
    files = adapter({"path": str(tmp_path / "not mounted")})
    refusal = files.send(FEED, CHANGES).refusal
    assert refusal is not None
    assert (refusal.kind, files.check().ok) == ("gone", False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["", "relative", "./x", "../x", "a\0b"])
def test_a_folder_is_named_from_the_root(path: str) -> None:
    with pytest.raises(WrongAddress):
        adapter({"path": path})


@pytest.mark.parametrize("deep", [0, 1])
def test_a_symlink_inside_leads_nowhere(tmp_path: Path, deep: int) -> None:
    root, outside = tmp_path / "drop", tmp_path / "outside"
    outside.mkdir()
    (root / "1234567").mkdir(parents=True) if deep else root.mkdir()
    (root / "1234567" / "987" if deep else root / "1234567").symlink_to(outside)
    refusal = adapter({"path": str(root)}).send(FEED, CHANGES).refusal
    assert refusal is not None
    assert refusal.kind == "gone"
    assert files_in(outside) == {}


def test_a_symlink_in_place_of_the_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    root, wanted = tmp_path / "drop", file_of(FEED, CHANGES, "ndjson", packed=False)
    (root / wanted.path).parent.mkdir(parents=True)
    (tmp_path / "victim").write_text("untouched")
    (root / wanted.path).symlink_to(tmp_path / "victim")
    beside = (root / wanted.path).with_name(f".{(root / wanted.path).name}.part")
    beside.symlink_to(tmp_path / "victim")
    files = adapter({"path": str(root)})
    refusal = files.send(FEED, CHANGES).refusal
    assert refusal is not None
    beside.unlink()
    assert files.send(FEED, CHANGES).refusal is None
    assert (tmp_path / "victim").read_text() == "untouched"
    assert (root / wanted.path).read_bytes() == wanted.data


def test_what_a_crash_left_beside_is_taken_over(tmp_path: Path) -> None:
    wanted = file_of(FEED, CHANGES, "ndjson", packed=False)
    beside = tmp_path / wanted.path
    beside = beside.with_name(f".{beside.name}.part")
    beside.parent.mkdir(parents=True)
    beside.write_text("half of a li")
    assert adapter({"path": str(tmp_path)}).send(FEED, CHANGES).refusal is None
    assert files_in(tmp_path).keys() == {wanted.path, wanted.manifest_path}


def test_a_folder_that_may_not_be_written_to_is_a_matter_of_rights(tmp_path: Path) -> None:
    if os.getuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    refusal = adapter({"path": str(tmp_path)}).send(FEED, CHANGES).refusal
    assert refusal is not None
    assert refusal.kind == "credentials"


# --- a bucket


@pytest.fixture
def store() -> Iterator[Mixpanel]:
    with stand_in() as found:
        yield found


def at(store: Mixpanel, *, private: bool = True, **more: Any) -> FilesAdapter:
    return adapter({"bucket": "cohorts", "endpoint": store.url, "access_key": "AKIAX"} | more, KEYS, private=private)


def test_a_call_is_signed_over_its_body_and_goes_to_the_path(store: Mixpanel) -> None:
    assert at(store, region="eu-central-1").send(FEED, CHANGES).refusal is None
    wanted = file_of(FEED, CHANGES, "ndjson", packed=False)
    assert [call.path for call in store.calls] == [f"/cohorts/{wanted.path}", f"/cohorts/{wanted.manifest_path}"]
    for call in store.calls:
        assert call.method == "PUT"
        assert call.headers["X-Amz-Content-SHA256"] == hashlib.sha256(call.body).hexdigest()
        assert "/eu-central-1/s3/aws4_request" in call.headers["Authorization"]
        assert KEYS["secret_key"][0] not in str(call.headers)


def test_a_bucket_of_amazon_is_in_the_host() -> None:
    files = adapter({"bucket": "cohorts", "region": "eu-central-1", "access_key": "AKIAX"}, KEYS)
    assert files._place._base == "https://cohorts.s3.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, "credentials"), (404, "gone"), (301, "gone"), (307, "gone"), (500, "unavailable"), (503, "unavailable")],
)
def test_what_a_store_answers(store: Mixpanel, status: int, kind: str) -> None:
    wanted = file_of(FEED, CHANGES, "ndjson", packed=False)
    store.script(f"/cohorts/{wanted.path}", Answer(status, "<Error>ada@example.com</Error>", {"Location": "/x"}))
    store.script("/cohorts/", Answer(status))
    files = at(store)
    outcome = files.send(FEED, CHANGES)
    assert outcome.refusal is not None
    assert (outcome.refusal.kind, outcome.status) == (kind, status)
    assert "ada@" not in outcome.text
    assert len(store.calls) == 1  # no manifest of what is not there
    assert not files.check().ok


def test_a_store_inside_of_a_network_is_refused_without_the_setting(store: Mixpanel) -> None:
    refusal = at(store, private=False).send(FEED, CHANGES).refusal
    assert refusal is not None
    assert refusal.reason == "address_refused"
    assert store.calls == []


@pytest.mark.parametrize(
    "wrong",
    [
        *({"bucket": "UPPER"}, {"bucket": "a/b"}, {"region": "x y"}, {"path": "../up"}, {"path": "a//b"}),
        *({"endpoint": "file:///etc"}, {"access_key": ""}, {"host": "sftp.example.com"}),
    ],
)
def test_what_is_no_bucket_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(WrongAddress):
        adapter({"bucket": "cohorts", "endpoint": "https://s3.example.com", "access_key": "k"} | wrong, KEYS)


@pytest.mark.parametrize(("library", "settings"), [("botocore", {"bucket": "cohorts"}), ("paramiko", {"host": "h"})])
def test_a_library_that_is_missing_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, library: str, settings: dict[str, Any]
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=f"pip install '{library}"):
        adapter(settings | {"access_key": "k"}, KEYS)


# --- SFTP


def test_a_server_with_another_key_is_refused_before_anybody_signs_in(
    sftp_server: servers.SftpServer, tmp_path: Path
) -> None:
    other = servers.new_ssh_key()
    settings = sftp_settings(sftp_server, tmp_path) | {"host_key": f"server.example {other.public} comment"}
    files = adapter(settings, {"private_key": [sftp_server.private_key]})
    refusal = files.send(FEED, CHANGES).refusal
    assert refusal is not None
    assert (refusal.kind, refusal.reason) == ("credentials", "host_key")
    assert not files.check().ok
    assert files_in(tmp_path) == {}


def test_a_user_with_another_key_is_refused(sftp_server: servers.SftpServer, tmp_path: Path) -> None:
    files = adapter(sftp_settings(sftp_server, tmp_path), {"private_key": [servers.new_ssh_key().private]})
    refusal = files.send(FEED, CHANGES).refusal
    assert refusal is not None
    assert (refusal.kind, refusal.reason) == ("credentials", "sign_in")


def test_a_private_key_may_be_given_as_one_line(sftp_server: servers.SftpServer, tmp_path: Path) -> None:
    line = base64.b64encode(sftp_server.private_key.encode()).decode()
    assert adapter(sftp_settings(sftp_server, tmp_path), {"private_key": [line]}).check().ok


def test_a_folder_that_an_sftp_server_does_not_have_waits_for_a_person(
    sftp_server: servers.SftpServer, tmp_path: Path
) -> None:
    settings = sftp_settings(sftp_server, tmp_path / "nowhere")
    refusal = adapter(settings, {"private_key": [sftp_server.private_key]}).send(FEED, CHANGES).refusal
    assert refusal is not None
    assert refusal.kind == "gone"


def test_an_sftp_server_that_says_nothing_is_given_up_in_time() -> None:
    def hang(connection: socket.socket) -> None:
        connection.settimeout(10)
        connection.recv(1000)
        connection.recv(1000)

    key = servers.new_ssh_key()
    with talking_server(hang) as port:
        for place in (1, port):
            settings = {"host": "127.0.0.1", "port": place, "user": "u", "host_key": key.public, "timeout_seconds": 1}
            refusal = adapter(settings, {"private_key": [key.private]}).send(FEED, CHANGES).refusal
            assert refusal is not None
            assert refusal.kind == "unavailable"


def test_an_sftp_server_inside_of_a_network_is_refused_without_the_setting() -> None:
    key = servers.new_ssh_key()
    settings = {"host": "localhost", "port": 22, "user": "u", "host_key": key.public}
    refusal = adapter(settings, {"private_key": [key.private]}, private=False).send(FEED, CHANGES).refusal
    assert refusal is not None
    assert refusal.reason == "address_refused"


@pytest.mark.parametrize("wrong", [{"host_key": ""}, {"host_key": "ssh-ed25519"}, {"host_key": "x"}, {"user": ""}])
def test_what_is_no_sftp_server_is_refused(wrong: dict[str, Any]) -> None:
    key = servers.new_ssh_key()
    with pytest.raises(WrongAddress):
        adapter({"host": "h", "user": "u", "host_key": key.public} | wrong, {"password": ["p"]})


def test_sftp_needs_a_secret_that_can_be_read() -> None:
    key = servers.new_ssh_key()
    for secrets in ({}, {"private_key": ["not a key"]}):
        with pytest.raises(WrongAddress):
            adapter({"host": "h", "user": "u", "host_key": key.public}, secrets)
