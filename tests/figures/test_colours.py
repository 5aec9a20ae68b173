"""Colours can be read: as text on the page, as an order in grey, in either theme, by people who see fewer of them."""

from __future__ import annotations

import re
import tomllib
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from seqviz import vocabulary as words
from seqviz.figures import theme as look

THEMES = ["light", "dark"]


def luminance(colour: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_the_standards():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["paper", "well"])
def test_every_token_can_be_read_as_text(theme, ground):
    below = look.SURFACES[theme][ground]
    tokens = look.HUES[theme] | look.SIGNS[theme] | dict(enumerate(look.LINES[theme]))
    low = {name: contrast(hue, below) for name, hue in tokens.items() if round(contrast(hue, below), 1) < 4.5}
    assert low == {}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["paper", "well"])
def test_ink_and_quiet_text_can_be_read(theme, ground):
    surface = look.SURFACES[theme]
    assert contrast(surface["ink"], surface[ground]) >= 7
    assert contrast(surface["quiet"], surface[ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_lines_stand_out_from_what_they_are_drawn_on(theme):
    for line in look.LINES[theme]:
        assert contrast(line, look.SURFACES[theme]["well"]) >= 3


@pytest.mark.parametrize("theme", THEMES)
def test_a_gates_scale_goes_one_way_from_the_surface_to_its_own_hue(theme):
    gates = {gate for cell in words.CELLS for gate in words.SIGNALS[cell] if words.is_gate(gate)}
    assert set(look.SEQUENTIAL[theme]) == gates
    for gate, scale in look.SEQUENTIAL[theme].items():
        assert scale[-1] == [1.0, look.HUES[theme][gate]]
    for scale in [*look.SEQUENTIAL[theme].values(), look.MAGNITUDE[theme]]:
        steps = [luminance(colour) for _, colour in scale]
        assert scale[0] == [0.0, look.SURFACES[theme]["well"]]
        assert steps in (sorted(steps), sorted(steps, reverse=True))
        assert round(contrast(scale[0][1], scale[-1][1]), 1) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_zero_is_the_surface_and_both_signs_leave_it(theme):
    scale = look.DIVERGING[theme]
    middle = len(scale) // 2
    assert scale[middle] == [0.5, look.SURFACES[theme]["well"]]
    away = [contrast(colour, scale[middle][1]) for _, colour in scale]
    assert away[: middle + 1] == sorted(away[: middle + 1], reverse=True)
    assert away[middle:] == sorted(away[middle:])
    assert min(away[0], away[-1]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_every_signal_has_a_hue_and_a_scale(theme):
    for cell in words.CELLS:
        for signal in ["x", *words.SIGNALS[cell], "y"]:
            assert signal in look.HUES[theme]
            scale = look.scale_of(f"l0.{signal}", theme)
            assert scale == (look.SEQUENTIAL[theme][signal] if words.is_gate(signal) else look.DIVERGING[theme])


# Machado, Oliveira and Fernandes 2009, severity 1 (https://www.inf.ufrgs.br/~oliveira/pubs_files/CVD_Simulation/), in
# linear RGB.
_SEEN = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
_XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]


def lab(colour: str, vision: str) -> np.ndarray:
    """CIELAB (D65) of a colour as somebody sees it."""
    channels = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(_SEEN[vision]) @ linear, 0, 1)
    xyz = np.asarray(_XYZ) @ seen / np.asarray(_XYZ).sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def ciede2000(one: np.ndarray, other: np.ndarray) -> float:
    """Sharma, Wu and Dalal 2005, https://hajim.rochester.edu/ece/sites/gsharma/ciede2000/."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)))
    c1, c2 = np.hypot((1 + g) * a1, b1), np.hypot((1 + g) * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, (1 + g) * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = h2 - h1 - 360 * np.round((h2 - h1) / 360) if c1 * c2 else 0.0
    hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    mean, c = (l1 + l2) / 2, (c1 + c2) / 2
    h = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    cos = lambda degrees: np.cos(np.radians(degrees))  # noqa: E731
    t = 1 - 0.17 * cos(h - 30) + 0.24 * cos(2 * h) + 0.32 * cos(3 * h + 6) - 0.20 * cos(4 * h - 63)
    sl = 1 + 0.015 * (mean - 50) ** 2 / np.sqrt(20 + (mean - 50) ** 2)
    sc, sh = 1 + 0.045 * c, 1 + 0.015 * c * t
    twist = -np.sin(np.radians(60 * np.exp(-(((h - 275) / 25) ** 2)))) * 2 * np.sqrt(c**7 / (c**7 + 25.0**7))
    dl, dc, dh = (l2 - l1) / sl, (c2 - c1) / sc, hue / sh
    return float(np.sqrt(dl**2 + dc**2 + dh**2 + twist * dc * dh))


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
        ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (58, 24, 15), 19.4535),
    ],
)
def test_the_distance_is_the_published_one(one, other, distance):
    assert ciede2000(np.array(one, float), np.array(other, float)) == pytest.approx(distance, abs=1e-4)
    assert ciede2000(np.array(other, float), np.array(one, float)) == pytest.approx(distance, abs=1e-4)


def least(colours: dict[str, str], vision: str) -> tuple[float, tuple[str, str]]:
    """The least distance between two of these colours, and between which."""
    pairs = combinations(colours, 2)
    return min((ciede2000(lab(colours[a], vision), lab(colours[b], vision)), (a, b)) for a, b in pairs)


def _sets(theme: str) -> dict[str, dict[str, str]]:
    hues = look.HUES[theme]
    return {
        "gates": {name: hues[name] for name in "fio"},
        "signals": {name: hues[name] for name in "fiogch"},
        "signs": look.SIGNS[theme] | {name: hues[name] for name in "fio"},
        "networks": {name: look.LINES[theme][k] for name, k in look.NETWORK_LINES.items()},
    }


@pytest.mark.parametrize("vision", _SEEN)
@pytest.mark.parametrize("theme", THEMES)
def test_what_has_to_be_told_apart_is_apart_for_everybody(theme, vision):
    found = {name: least(colours, vision) for name, colours in _sets(theme).items()}
    wanted = {"gates": 13.4, "signals": 11.4, "signs": 13.0, "networks": 12.4}
    assert {name: at for name, at in found.items() if at[0] < wanted[name]} == {}


@pytest.mark.parametrize("vision", _SEEN)
@pytest.mark.parametrize("theme", THEMES)
def test_a_sign_is_seen_far_from_its_other_and_from_nothing(theme, vision):
    scale = [lab(colour, vision) for _, colour in look.DIVERGING[theme]]
    for steps, apart, from_nothing in [(1, 14.5, 8.5), (2, 24.5, 19.5), (5, 26.5, 44)]:
        below, nothing, above = scale[5 - steps], scale[5], scale[5 + steps]
        assert ciede2000(below, above) >= apart
        assert min(ciede2000(below, nothing), ciede2000(above, nothing)) >= from_nothing


def test_networks_are_told_by_their_dashes_too():
    assert len({look.DASHES[k] for k in look.NETWORK_LINES.values()}) == len(look.NETWORK_LINES)
    assert {len(look.LINES[theme]) for theme in THEMES} == {len(look.DASHES)}


def test_streamlits_own_theme_has_these_colours():
    config = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())["theme"]
    for theme in THEMES:
        surface, given = look.SURFACES[theme], config[theme]
        assert given["backgroundColor"] == surface["paper"]
        assert given["secondaryBackgroundColor"] == surface["well"]
        assert given["textColor"] == given["primaryColor"] == surface["ink"]
        assert given["linkColor"] == surface["focus"]


def test_the_page_gets_every_token_as_a_variable():
    given = dict(re.findall(r"--sv-([\w-]+): ([^;]+);", look.css()))
    for name in look.SURFACES["light"]:
        assert given[name] == f"light-dark({look.SURFACES['light'][name]}, {look.SURFACES['dark'][name]})"
    for name in look.HUES["light"]:
        assert given[f"hue-{name}"] == f"light-dark({look.HUES['light'][name]}, {look.HUES['dark'][name]})"
    assert [given[f"t{k}"] for k in (1, 2, 3)] == ["14px", "17px", "26px"]
    assert re.findall(r"--sv-t\d: (\d+)px", look.css(stage=True)) == ["18", "22", "32"]
