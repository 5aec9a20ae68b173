"""Colours can be read: as text on the page, as an order in grey, in either theme."""

from __future__ import annotations

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
def test_every_hue_can_be_read_as_text_on_paper(theme):
    paper = look.SURFACES[theme]["paper"]
    low = {name: contrast(hue, paper) for name, hue in look.HUES[theme].items() if contrast(hue, paper) < 4.5}
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
def test_a_gates_scale_starts_at_the_surface_and_goes_one_way(theme):
    gates = {gate for cell in words.CELLS for gate in words.SIGNALS[cell] if words.is_gate(gate)}
    assert set(look.SEQUENTIAL[theme]) == gates
    for scale in [*look.SEQUENTIAL[theme].values(), look.MAGNITUDE[theme]]:
        steps = [luminance(colour) for _, colour in scale]
        assert scale[0][1] == look.SURFACES[theme]["well"]
        assert steps in (sorted(steps), sorted(steps, reverse=True))
        assert contrast(scale[0][1], scale[-1][1]) >= 7


@pytest.mark.parametrize("theme", THEMES)
def test_zero_is_the_surface_and_both_signs_leave_it(theme):
    scale = look.DIVERGING[theme]
    middle = len(scale) // 2
    assert scale[middle] == [0.5, look.SURFACES[theme]["well"]]
    away = [contrast(colour, scale[middle][1]) for _, colour in scale]
    assert away[: middle + 1] == sorted(away[: middle + 1], reverse=True)
    assert away[middle:] == sorted(away[middle:])
    assert min(away[0], away[-1]) >= 7


@pytest.mark.parametrize("theme", THEMES)
def test_every_signal_has_a_hue_and_a_scale(theme):
    for cell in words.CELLS:
        for signal in ["x", *words.SIGNALS[cell], "y"]:
            assert signal in look.HUES[theme]
            scale = look.scale_of(f"l0.{signal}", theme)
            assert scale == (look.SEQUENTIAL[theme][signal] if words.is_gate(signal) else look.DIVERGING[theme])
