"""What is packed for the browser comes out of its own unpacking: float32 as it is, codes within what is promised."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from seqviz.scope import message

pytestmark = pytest.mark.browser

_UNPACK = """async (text) => {
  const { unpack } = await import("/_stcore/bidi-components/seqviz.scope/bytes.js");
  const { arrays } = unpack(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  return Object.fromEntries(Object.entries(arrays).map(([name, { values }]) => [name, [...values]]));
}"""


def unpacked(page, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = page.evaluate(_UNPACK, base64.b64encode(message.pack({}, arrays)).decode())
    return {name: np.array(values, float) for name, values in found.items()}


def ranges() -> dict[str, np.ndarray]:
    """Arrays of many ranges: about 0 and far from it, tiny, huge, and of one value."""
    rng = np.random.default_rng(3)
    places = [(0, 1), (-1, 2), (0.1, 0.3), (100, 1), (-1e4, 3), (0, 1e-30), (-3e38, 6e38), (7, 0)]
    return {
        f"{k}": np.clip(low + width * rng.random((1000, 1)), -3e38, 3e38).astype(np.float32)
        for k, (low, width) in enumerate(places)
    }


def test_codes_are_within_half_a_step_and_float32s_rounding(bare_page, monkeypatch):
    monkeypatch.setattr(message, "FLOAT_BUDGET", 10)
    given = ranges()
    for name, values in unpacked(bare_page, given).items():
        exact = given[name][:, 0].astype(float)
        rounding = np.spacing(np.abs(given[name]).max()) / 2
        assert np.abs(values - exact).max() <= np.ptp(exact) / 131_070 * (1 + 1e-9) + rounding
        if name in "015":
            assert np.abs(values - exact).max() >= np.ptp(exact) / 140_000, "nothing was coded"


def test_what_fits_or_is_not_finite_stays_float32(bare_page, monkeypatch):
    given = ranges()
    for name, values in unpacked(bare_page, given).items():
        np.testing.assert_array_equal(values, given[name][:, 0])
    monkeypatch.setattr(message, "FLOAT_BUDGET", 1)
    odd = {"odd": np.array([[np.inf], [-1.5], [np.nan], [-np.inf]], np.float32)}
    np.testing.assert_array_equal(unpacked(bare_page, odd)["odd"], odd["odd"][:, 0])
