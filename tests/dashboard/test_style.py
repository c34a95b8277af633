"""The stylesheets: colours that can be read in light and dark, five sizes of type, one scale of space, drawn icons."""

import re
from pathlib import Path

import pytest

from blueprints.dashboard.search.places import FOOT, MAIN

ROOT = Path(__file__).resolve().parents[2]
STYLES = ROOT / "static" / "css"
STATES = ("in-step", "working", "waiting", "needs-you", "held")

# Which colour of text stands on which background.
PAIRS = [
    *((text, ground) for text in ("text", "quiet", "accent") for ground in ("page", "surface", "sunken")),
    *((state, ground) for state in STATES for ground in ("page", "surface", "sunken", f"{state}-surface")),
    *((text, f"{state}-surface") for text in ("text", "accent") for state in STATES),
    ("on-accent", "accent"),
]


def sheets() -> list[Path]:
    """Every stylesheet, in the order in which `main.css` imports them."""
    return [STYLES / name for name in re.findall(r'@import url\("([^."]+\.css)"\)', (STYLES / "main.css").read_text())]


def style() -> str:
    return re.sub(r"/\*.*?\*/", "", "\n".join(path.read_text() for path in sheets()), flags=re.DOTALL)


def colours(theme: str) -> dict[str, str]:
    """The variables of one theme: the light one comes first."""
    light, dark = re.findall(r":root \{(.*?)\}", style(), re.DOTALL)
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light if theme == "light" else dark))


def luminance(colour: str) -> float:
    """WCAG's relative luminance of ``#rrggbb``."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(theme):
    shown = colours(theme)
    ratios = {pair: contrast(shown[pair[0]], shown[pair[1]]) for pair in PAIRS}
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}


def test_black_on_white_has_the_contrast_that_is_known():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_both_themes_have_the_same_colours():
    assert colours("light").keys() == colours("dark").keys()


def test_every_colour_is_a_variable():
    """Shadows and mixes aside, so that no colour is made for one theme only."""
    rules = re.sub(r":root \{.*?\}", "", style(), flags=re.DOTALL)
    values = re.findall(r"(?:color|background|border[a-z-]*|outline|fill|stroke): ([^;]+);", rules)
    assert [value for value in values if re.search(r"#[0-9a-f]{3}|rgba?\(|hsl", value)] == []


def test_every_variable_that_is_used_is_there():
    assert set(re.findall(r"var\(--([a-z0-9-]+)", style())) <= set(
        re.findall(r"^\s+--([a-z0-9-]+):", style(), re.MULTILINE)
    )


def test_type_keeps_to_five_sizes_and_two_weights():
    rules = re.sub(r"@font-face \{.*?\}", "", style(), flags=re.DOTALL)
    sizes = re.findall(r"font(?:-size)?: (?:\d00 )?([\d.]+[a-z%]+)", rules)
    assert set(sizes) == {"13px", "14px", "16px", "20px", "28px"}
    assert set(re.findall(r"font(?:-weight)?: ([1-9]00)\b", rules)) == {"400", "600"}


def test_space_keeps_to_one_scale_on_a_grid_of_four():
    """Hairlines aside: 1 and 2 px part what belongs together."""
    steps = [int(length) for length in re.findall(r"--space-\d+: (\d+)px;", style())]
    assert steps == sorted(set(steps))
    assert {length % 4 for length in steps} == {0}
    values = re.findall(r"(?:padding|margin|gap)[a-z-]*: ([^;]+);", style())
    lengths = {int(length) for value in values for length in re.findall(r"(\d+)px", value)}
    assert {length for length in lengths if length % 4} <= {1, 2}


def test_nothing_moves_where_less_motion_is_wanted():
    """What the sheets animate without a duration is no motion: it comes after a while."""
    rules = re.sub(r"@media \(prefers-reduced-motion: no-preference\) \{.*?\n\}", "", style(), flags=re.DOTALL)
    assert "transition:" in style()
    assert "transition:" not in rules
    assert set(re.findall(r"animation: [a-z-]+ (\d+m?s)", rules)) == {"0s"}


def drawings() -> dict[str, str]:
    """What set-up has made of `icons.mjs`: each icon's shape by its name."""
    made = (ROOT / "static" / "vendor" / "icons.svg").read_text()
    return dict(re.findall(r'<symbol id="([a-z-]+)"[^>]*>(.*?)</symbol>', made))


def test_a_state_is_never_colour_alone():
    """Each of them has an icon, and no two the same."""
    shapes = [drawings()[state] for state in (*STATES, "off")]
    assert len(set(shapes)) == len(shapes)


def test_every_icon_that_a_page_shows_is_drawn():
    templates = [path.read_text() for path in (ROOT / "templates").rglob("*.html")]
    shown = {name for text in templates for name in re.findall(r'"([a-z-]+)"\|icon', text)}
    assert "more" in shown
    assert shown | {place.word.lower() for place in (*MAIN, *FOOT)} <= drawings().keys()


def test_every_stylesheet_is_imported_into_a_layer():
    imports = re.findall(r'@import url\("([^"]+)"\) layer\(([a-z]+)\);', (STYLES / "main.css").read_text())
    assert {path.relative_to(STYLES).as_posix() for path in STYLES.rglob("*.css")} - {"main.css"} == {
        name for name, _layer in imports if not name.startswith("..")
    }
    layers = re.search(r"@layer ([a-z, ]+);", (STYLES / "main.css").read_text())
    assert layers is not None
    assert list(dict.fromkeys(layer for _name, layer in imports)) == layers[1].split(", ")
