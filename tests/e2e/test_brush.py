"""While the hand moves the picture is painted on canvases; Plotly's own, at rest, is the same."""

from __future__ import annotations

import pytest
from test_gates import RESTED

import seqviz
from seqviz.experiment import Experiment, Init, Sequence

pytestmark = pytest.mark.browser

BOTH = """async () => {
  const plot = document.querySelector(".sv-scope .sv-plot");
  const layout = plot.querySelector(".sv-graph")._fullLayout;
  const canvases = [...plot.querySelectorAll(".sv-brush canvas")];
  const heads = [...plot.querySelectorAll(".sv-fold")].map((button) => button.dataset.signal);
  const found = {};
  for (const [k, signal] of heads.entries()) {
    const image = plot.querySelector(`.subplot.xy${k ? k + 1 : ""} .heatmaplayer image`);
    if (!image) continue;
    const axis = layout[k ? `yaxis${k + 1}` : "yaxis"];
    const [width, height] = [canvases[k].width, canvases[k].height];
    const pen = new OffscreenCanvas(width, height).getContext("2d");
    pen.imageSmoothingEnabled = false;
    pen.fillStyle = layout.plot_bgcolor;
    pen.fillRect(0, 0, width, height);
    const drawn = new Image();
    drawn.src = image.getAttribute("href") ?? image.getAttribute("xlink:href");
    await drawn.decode();
    pen.drawImage(drawn, ...["x", "y", "width", "height"].map((name) => +image.getAttribute(name)));
    const [ours, theirs] = [canvases[k].getContext("2d"), pen].map((p) => p.getImageData(0, 0, width, height).data);
    const gap = (at, there) => Math.max(...[0, 1, 2, 3].map((k) => Math.abs(ours[at + k] - theirs[there + k])));
    const near = (at) => [4, -4, 4 * width, -4 * width].some((by) => gap(at, at + by) <= 3);
    let [most, off, edges] = [0, 0, 0];
    for (let at = 0; at < ours.length; at += 4) {
      if (gap(at, at) <= 3) continue;
      most = Math.max(most, gap(at, at));
      if (near(at)) edges++;
      else off++;
    }
    found[signal] = [width, height, most, off, (edges * 4) / ours.length];
  }
  return found;
}"""

HELD = (seqviz.Clamp("l0.f", -1.0, units=[1]), seqviz.Clamp("l0.o", 1.5, units=[0], steps=(4, 9)))


@pytest.mark.parametrize("address", ["", "#by=mean&folded=g&zoom=9.5_30.2", "held"])
def test_what_the_hand_paints_is_what_plotly_draws(visit, address):
    given = Experiment(hidden_size=13, init=Init(gain=2.5, seed=3), sequence=Sequence("sine", 48))
    if address == "held":
        given = Experiment(hidden_size=5, init=Init(gain=2.5, seed=3), sequence=given.sequence, interventions=HELD)
    screen = visit(f"/?e={given.to_url()}{address if '#' in address else ''}")
    screen.drag(screen.at("x", 12, 0.3), screen.at("x", 16, 0.7), screen.at("x", 22, 0.4), release=False)
    screen.until("() => +(document.querySelector('.sv-scope').dataset.previews ?? 0) > 0")
    screen.frames()
    screen.until(RESTED)
    found = screen.page.evaluate(BOTH)
    assert len(found) == 6
    for signal, (width, height, most, off, edges) in found.items():
        assert width > 300
        assert height >= 12
        assert off == 0, (signal, most, off)
        # Zoomed in, an edge that falls between two pixels may go to either: one column or row of them.
        assert edges <= (1 / width + 1 / height if "zoom" in address else 0), (signal, most, edges)
    screen.edits(screen.page.mouse.up)
