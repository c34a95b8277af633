"""Debian's nginx with our own site from deploy/, in front of app instances; only its addresses are changed."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import servers
from tests.failing.server import ROOT, Server, free_port, wait_until

SITE = ROOT / "deploy" / "nginx-site.conf"
AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 2;
{user}
events {{ worker_connections 2048; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/unused; uwsgi_temp_path {folder}/unused; scgi_temp_path {folder}/unused;
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True)
class Proxy:
    url: str
    port: int


@contextmanager
def nginx(folder: Path, first: Server, second: Server) -> Iterator[Proxy]:
    """nginx with our site in front of two instances, or of one that is both; skips the test where there is none."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        servers.missing("nginx")
    port = free_port()
    (folder / "site.conf").write_text(site(port, first.port, second.port))
    # As root it would answer from processes of another user, who may not enter the test's folder.
    user = "user root;" if Path("/proc/self").stat().st_uid == 0 else ""
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user))
    command = [str(program), "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]
    with subprocess.Popen(command) as process:
        try:
            proxy = Proxy(f"http://127.0.0.1:{port}", port)
            wait_until((folder / "nginx.pid").exists, 20, f"the start of nginx {process.poll()}")
            yield proxy
        finally:
            process.terminate()


def site(port: int, first: int, second: int) -> str:
    """The site with these ports."""
    text = SITE.read_text()
    for written, ours in (
        ("    listen 80;", f"    listen 127.0.0.1:{port};"),
        ("server 127.0.0.1:8001 ", f"server 127.0.0.1:{first} "),
        ("server 127.0.0.1:8002 ", f"server 127.0.0.1:{second} "),
    ):
        assert text.count(written) == 1
        text = text.replace(written, ours)
    return text
