"""Copies: what is pasted elsewhere sends the same request, and holds no credential."""

import os
import shlex
import subprocess
import sys
from dataclasses import replace

import pytest
import requests

from outbound.operations.registry import OPERATIONS, filled
from outbound.operations.types import CallInput, Composed
from outbound.projects import Credentials
from outbound.request.compose import address, compose
from outbound.request.snippets import as_command, as_curl, as_python
from tests.mixpanel import Call, Mixpanel, stand_in
from tests.outbound.conftest import SECRET, TOKEN, USERNAME
from tests.outbound.test_specs import NOW, PROJECT

CREDENTIALS = Credentials(TOKEN, USERNAME, SECRET)
ENVIRONMENT = {"MIXPANEL_TOKEN": TOKEN, "MIXPANEL_USERNAME": USERNAME, "MIXPANEL_SECRET": SECRET}
KINDS = [
    "track-event",
    "import-events",
    "profile-set",
    "create-identity",
    "engage-query",
    "cohorts-list",
    "replace-lookup-table",
]
ODD = {"$distinct_id": 'o\'neil "x" $HOME `id`', "$set": {"name": "Žofie \\ 'q'", "n": 1}}


@pytest.fixture
def mixpanel():
    with stand_in() as found:
        yield found


def made(key: str, mixpanel: Mixpanel, given: CallInput | None = None) -> Composed:
    operation = OPERATIONS[key]
    return compose(operation, PROJECT, CREDENTIALS, given or filled(operation.examples[0], NOW), NOW, mixpanel.url)


def sent(composed: Composed) -> None:
    """As our own client would."""
    request = composed.request
    headers = dict(request.headers)
    requests.request(request.method, address(request), data=request.body, headers=headers, auth=request.auth, timeout=5)


def alike(call: Call) -> tuple:
    names = ("Content-Type", "Authorization", "X-Mixpanel-Integration-ID")
    headers = {name.lower(): value for name, value in call.headers.items()}
    return call.method, call.path, call.query, call.body, [headers.get(name.lower()) for name in names]


def run(words: list[str]) -> None:
    subprocess.run(words, env=os.environ | ENVIRONMENT, check=True, capture_output=True, timeout=30)


@pytest.mark.parametrize("key", KINDS)
def test_curl_sends_what_we_would_send(mixpanel, key):
    composed = made(key, mixpanel)
    sent(composed)
    run(["bash", "-c", as_curl(composed, CREDENTIALS)])
    assert alike(mixpanel.calls[0]) == alike(mixpanel.calls[1])


@pytest.mark.parametrize("key", ["import-events", "create-identity"])
def test_python_sends_what_we_would_send(mixpanel, key):
    composed = made(key, mixpanel)
    sent(composed)
    run([sys.executable, "-c", as_python(composed, CREDENTIALS)])
    assert alike(mixpanel.calls[0]) == alike(mixpanel.calls[1])


def test_quotes_and_dollars_survive(mixpanel):
    composed = made("profile-set", mixpanel, CallInput(ODD))
    sent(composed)
    run(["bash", "-c", as_curl(composed, CREDENTIALS)])
    run([sys.executable, "-c", as_python(composed, CREDENTIALS)])
    assert len({str(alike(call)) for call in mixpanel.calls}) == 1


def test_no_copy_holds_a_credential(mixpanel):
    for key in KINDS:
        composed = made(key, mixpanel)
        copies = as_curl(composed, CREDENTIALS) + as_python(composed, CREDENTIALS)
        assert not [one for one in (TOKEN, USERNAME, SECRET) if one in copies]


def test_our_own_command_says_the_same():
    words = shlex.split(as_command("prod", OPERATIONS["profile-set"], CallInput(ODD)))
    assert words[:5] == ["flask", "send", "profile-set", "--project", "prod"]
    assert words[words.index("--param") + 1] == f"$distinct_id={ODD['$distinct_id']}"


def test_without_a_request_there_is_nothing_to_copy(mixpanel):
    composed = replace(made("profile-set", mixpanel), request=None)
    assert (as_curl(composed, CREDENTIALS), as_python(composed, CREDENTIALS)) == ("", "")
