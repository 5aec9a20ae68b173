// Rows on a shared time axis, and what a picture says of itself in a file.

import assert from "node:assert/strict";
import test from "node:test";

import { MARGIN, axisOf, domain, layoutOf, stacked, zoomWithin } from "../../seqviz/scope/web/axes.js";
import { poster } from "../../seqviz/scope/web/poster.js";

const rows = [{ tall: 76 }, { tall: 12 }, { tall: 40 }];

test("rows lie one under the other, none over another's heading", () => {
  const { places, height } = stacked(rows, (row) => row.tall);
  let end = MARGIN.top;
  for (const { top, height: tall } of places) {
    assert.ok(top - end >= 21, "room for a heading");
    end = top + tall;
  }
  assert.ok(height - end >= MARGIN.bottom);
});

test("a row's part of the paper is where its pixels are", () => {
  const { places, height } = stacked(rows, (row) => row.tall);
  const inner = height - MARGIN.top - MARGIN.bottom;
  places.forEach((place) => {
    const [low, high] = domain(place, height);
    assert.ok(Math.abs(MARGIN.top + (1 - high) * inner - place.top) < 1e-9);
    assert.ok(Math.abs((high - low) * inner - place.height) < 1e-9);
  });
});

test("axes are called as Plotly calls them", () => {
  assert.deepEqual([0, 1, 2].map(axisOf), ["y", "y2", "y3"]);
  assert.deepEqual([0, 1, 2].map(layoutOf), ["yaxis", "yaxis2", "yaxis3"]);
});

test("a zoom keeps what there is of it", () => {
  assert.deepEqual(zoomWithin([2, 90], 40), [2, 39.5]);
  assert.equal(zoomWithin([50, 90], 40), null);
  assert.equal(zoomWithin([-5, 90], 40), null); // all of it
  assert.equal(zoomWithin(null, 40), null);
});

const theme = { paper: "#fff", ink: "#000", quiet: "#777", hues: { f: "#123456" }, mono: "mono" };
const row = { signal: "f", symbol: "f", name: "a < b" };
const { places, height } = stacked([row], () => 40);
const built = {
  traces: [{ type: "heatmap", yaxis: "y", zmin: -2, zmax: 2 }],
  layout: { width: 500, height, margin: { l: 1, r: 1, t: 1, b: 1 }, yaxis: { domain: domain(places[0], height) } },
  places,
  height,
};

test("a file carries title, names, ranges, notes and a colour bar, and the page's figure stays as it is", () => {
  const before = JSON.stringify(built);
  const words = { title: "t", notes: ["n1", "n2"], range: () => "±2" };
  const { data, layout } = poster(built, [row], theme, words);
  assert.deepEqual(
    layout.annotations.map((note) => note.text),
    ["<b>f</b>  a &lt; b   ±2", "t", "n1", "n2"],
  );
  assert.equal(data[0].showscale, true);
  assert.deepEqual(data[0].colorbar.tickvals, [-2, 2]);
  assert.ok(layout.height > height && layout.width > 500);
  assert.equal(layout.annotations[0].font.color, "#123456");
  assert.equal(JSON.stringify(built), before);
});

test("without a title or notes no room is kept for them", () => {
  const small = poster(built, [row], theme, { notes: [] }).layout;
  const large = poster(built, [row], theme, { title: "t", notes: ["n"] }).layout;
  assert.ok(small.height < large.height);
  assert.equal(small.annotations.length, 1);
});
