"""What we take of granian beside its public names is there, in the version that is pinned."""

import inspect
import re
from importlib.metadata import version
from pathlib import Path

from granian.net import SocketHolder
from granian.server.mp import MPServer

from server.pool import Server

ROOT = Path(__file__).resolve().parents[2]


def test_the_version_is_pinned_to_the_letter_and_installed() -> None:
    pinned = re.findall(r'"granian==([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert pinned == [version("granian")]


def test_the_server_makes_its_socket_where_we_give_it_ours() -> None:
    assert "_init_shared_socket" in inspect.getsource(MPServer.startup)
    spawned = inspect.getsource(MPServer._spawn_worker)
    assert "((self._ssp, self._shd), self._sso)" in spawned
    assert "_sso" in inspect.getsource(MPServer._drop_shared_socket)


def test_a_socket_is_given_by_its_descriptor() -> None:
    assert SocketHolder(7, False, 128).__getstate__()[0] == 7


def test_nothing_else_of_the_server_is_private() -> None:
    ours = {name for name in vars(Server) if name.startswith("_") and not name.startswith("__")}
    assert ours & set(dir(MPServer)) == {"_init_shared_socket"}
