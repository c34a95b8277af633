"""`make lighthouse`: what Lighthouse says of the pages where operators spend their day, in the demo, as a table. It is
installed for this alone, beside the other packages of the browser."""

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, sync_playwright

from tests.browser import chromium, demo
from tests.browser.screenshots import served
from tests.failing.server import ROOT

PACKAGES = ROOT / "tests" / "browser" / "node"
PAGES = ("/", "/cohorts/2", "/send")
LEAST = {"performance": 95, "accessibility": 100, "best-practices": 100}


def measure(node: list[str]) -> bool:
    """Print the table; whether every page has what it should."""
    found = chromium.path()
    if found is None:
        raise SystemExit("Chromium is missing; install Debian's package chromium.")
    is_good = True
    with served() as server, _signed_in(found, server.url) as port:
        print(f"{'page':<14}" + "".join(f"{name:>16}" for name in LEAST))
        for path in PAGES:
            report = _report(node, server.url + path, port)
            scores = {name: round(100 * (report["categories"][name]["score"] or 0)) for name in LEAST}
            print(f"{path:<14}" + "".join(f"{scores[name]:>16}" for name in LEAST))
            for name, least in LEAST.items():
                if scores[name] < least:
                    is_good = False
                    print("\n".join(f"    {name}: {line}" for line in _faults(report, name)))
    return is_good


@contextmanager
def _signed_in(found: str, url: str) -> Iterator[int]:
    """A browser in which an admin is signed in, and the port on which Lighthouse finds it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [*chromium.ARGUMENTS, f"--remote-debugging-port={port}"]
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context: BrowserContext = playwright.chromium.launch_persistent_context(
            profile, executable_path=found, args=arguments, viewport=chromium.WIDE
        )
        chromium.sign_in(context, url, demo.email_of("admin"), demo.PASSWORD)
        try:
            yield port
        finally:
            context.close()


def _report(node: list[str], url: str, port: int) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        options = [f"--port={port}", "--output=json", f"--output-path={path}", "--preset=desktop", "--quiet"]
        options += ["--disable-storage-reset", f"--only-categories={','.join(LEAST)}"]
        command = [*node, str(PACKAGES / "node_modules" / "lighthouse" / "cli" / "index.js"), url, *options]
        subprocess.run(command, check=True, timeout=300)
        return json.loads(path.read_text())


def _faults(report: dict, category: str) -> Iterator[str]:
    for reference in report["categories"][category]["auditRefs"]:
        audit = report["audits"][reference["id"]]
        if reference["weight"] and audit["score"] is not None and audit["score"] < 1:
            yield f"{audit['title']} ({audit.get('displayValue', audit['score'])})"
            for item in audit.get("details", {}).get("items", [])[:5]:
                if node := item.get("node"):
                    yield f"  {node.get('snippet', '')[:200]}"


if __name__ == "__main__":
    raise SystemExit(0 if measure(sys.argv[1:] or ["node"]) else 1)
