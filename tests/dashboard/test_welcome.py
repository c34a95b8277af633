"""The first page: it says that the relay runs and leads to a first synced cohort, and shows nothing that is stored."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.conftest import settings_for

STYLE = Path(__file__).resolve().parents[2] / "static" / "style.css"

# Which text colour stands on which background in static/style.css.
PAIRS = [
    ("text", "page"),
    ("text", "surface"),
    ("text", "sunken"),
    ("text", "waiting-surface"),
    ("quiet", "page"),
    ("quiet", "surface"),
    ("quiet", "sunken"),
    ("accent", "page"),
    ("on-accent", "accent"),
    ("in-step", "surface"),
    ("waiting", "waiting-surface"),
]


@pytest.fixture
def client(tmp_path) -> FlaskClient:
    return create_app(settings_for(tmp_path)).test_client()


def colours(theme: str) -> dict[str, str]:
    """The variables of one theme: the light one comes first in the style sheet."""
    light, dark = re.findall(r":root \{(.*?)\}", STYLE.read_text(), re.DOTALL)
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light if theme == "light" else dark))


def luminance(colour: str) -> float:
    """WCAG's relative luminance of ``#rrggbb``."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_it_says_that_the_relay_runs_and_what_to_do_in_three_steps(client):
    page = client.get("/").text
    assert "<h1>The relay is running</h1>" in page
    assert re.findall("<h2>(.*?)</h2>", page) == ["Make a connection", "Put it into Mixpanel", "Read the cohort"]


def test_it_shows_the_urls_that_others_reach_us_by(tmp_path):
    client = create_app(settings_for(tmp_path, public_url="https://relay.example")).test_client()
    page = client.get("/").text
    assert "https://relay.example<wbr>/webhooks/mixpanel/crm" in page
    assert "https://relay.example/api/v1/cohorts" in page
    assert "PUBLIC_URL" not in page


def test_an_address_without_https_is_explained(client):
    assert "Set <code>PUBLIC_URL</code>" in client.get("/").text


def test_it_needs_neither_script_nor_inline_style(client):
    page = client.get("/")
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert "default-src 'none'; style-src 'self'; img-src 'self'" in page.headers["Content-Security-Policy"]


def test_everything_it_loads_is_there(client):
    loaded = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/").text))
    assert {path: client.get(path).status_code for path in loaded} == dict.fromkeys(loaded, 200)
    assert len(loaded) == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(theme):
    shown = colours(theme)
    ratios = {pair: contrast(shown[pair[0]], shown[pair[1]]) for pair in PAIRS}
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}


def test_both_themes_have_the_same_colours():
    assert colours("light").keys() == colours("dark").keys()


def test_type_keeps_to_five_sizes_and_lengths_to_a_grid_of_four():
    style = STYLE.read_text()
    sizes = set(re.findall(r"font(?:-size)?: (?:400 )?(\d+)px", style))
    assert sizes == {"13", "14", "16", "20", "28"}
    spaces = re.findall(r"(?:padding|margin|gap|height)[a-z-]*: ([^;]+);", style)
    assert {int(length) % 4 for space in spaces for length in re.findall(r"(\d+)px", space)} == {0}
