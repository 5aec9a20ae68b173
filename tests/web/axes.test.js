// Rows on a shared time axis, and what a picture says of itself in a file.

import assert from "node:assert/strict";
import test from "node:test";

import {
  stepTicks,
  axisOf,
  domain,
  fitted,
  layoutOf,
  marginOf,
  roomOfNote,
  stacked,
  zoomWithin,
} from "../../seqviz/scope/web/axes.js";
import { poster } from "../../seqviz/scope/web/poster.js";

const rows = [{ tall: 76 }, { tall: 12 }, { tall: 40 }];

const margins = [marginOf(1000, 14), marginOf(360, 14), marginOf(1000, 18)];

test("rows lie one under the other, none over another's heading", () => {
  for (const margin of margins) {
    const { places, height } = stacked(rows, (row) => row.tall, margin);
    let end = margin.top;
    for (const { top, height: tall } of places) {
      assert.ok(top - end >= margin.heading);
      end = top + tall;
    }
    assert.ok(height - end >= margin.bottom);
    assert.ok(margin.heading >= 26 || margin.column >= 150, "room for a heading, above a row or beside it");
  }
});

test("in a narrow picture a note that has no room beside its name gets the lines it needs", () => {
  const row = (says) => ({ tall: 40, symbol: "i", name: "输入门（记忆门）", says });
  const short = row("始终为 0");
  const long = row("只在第 0 步打开，之后一直关闭，到最后一步也没有再打开过。");
  const longer = row(long.says.repeat(2));
  const tall = (one, width) => stacked([one], () => 40, marginOf(width, 14), roomOfNote(width)).places[0];
  assert.equal(tall(short, 360).head, marginOf(360, 14).heading);
  const [one, two] = [tall(long, 360), tall(longer, 360)];
  assert.ok(one.head > 26 && two.head > one.head);
  assert.equal(two.top - marginOf(360, 14).top, two.head);
  for (const { says } of [long, longer])
    assert.ok((14 * says.length) / (360 - 16) <= (tall({ ...short, says }, 360).head - 26) / 19, "cut short");
  assert.ok(tall(long, 500).head <= one.head);
  assert.equal(tall(longer, 900).head, 0);
});

test("a row's part of the paper is where its pixels are", () => {
  for (const margin of margins) {
    const { places, height } = stacked(rows, (row) => row.tall, margin);
    const inner = height - margin.top - margin.bottom;
    places.forEach((place) => {
      const [low, high] = domain(place, height, margin);
      assert.ok(Math.abs(margin.top + (1 - high) * inner - place.top) < 1e-9);
      assert.ok(Math.abs((high - low) * inner - place.height) < 1e-9);
    });
  }
});

test("rows take the height there is, within what can be read; what is folded keeps its own", () => {
  const how = { usual: (row) => row.tall, fixed: (row) => row.tall === 12, least: 0.5, most: 2 };
  for (const margin of margins) {
    for (const room of [300, 340, 380]) {
      const tall = fitted(rows, how, room, margin);
      const { height } = stacked(rows, tall, margin);
      const share = tall(rows[0]) / 76;
      assert.equal(tall(rows[1]), 12);
      assert.ok(share >= 0.48 && share <= 2);
      if (share > 0.52 && share < 1.95) assert.ok(height <= room && height > room - 4, `${height} of ${room}`);
    }
    assert.equal(fitted(rows, how, 10, margin)(rows[0]), 38);
    assert.equal(fitted(rows, how, 9999, margin)(rows[0]), 152);
  }
});

test("no row is lower than what stands beside it needs, and the others make room for it", () => {
  const [margin] = margins;
  const many = [{ tall: 60 }, { tall: 60, needs: 50 }, { tall: 60 }, { tall: 30, needs: 100 }];
  const how = { usual: (row) => row.tall, fixed: () => false, least: 0.2, most: 2, needs: (row) => row.needs ?? 0 };
  const around = margin.top + margin.bottom + many.length * (margin.heading + margin.gap);
  assert.deepEqual(many.map(fitted(many, how, around + 210, margin)), [30, 50, 30, 100]);
  assert.deepEqual(many.map(fitted(many, how, around + 10, margin)), [12, 50, 12, 100]);
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
const margin = marginOf(500, 14);
const { places, height } = stacked([row], () => 40, margin);
const built = {
  traces: [{ type: "heatmap", yaxis: "y", zmin: -2, zmax: 2 }],
  layout: {
    width: 500,
    height,
    margin: { l: 1, r: 1, t: 1, b: 1 },
    yaxis: { domain: domain(places[0], height, margin) },
  },
  places,
  height,
  margin,
};

test("a file carries title, names, ranges, notes and a colour bar, and the page's figure stays as it is", () => {
  const before = JSON.stringify(built);
  const words = { title: "t", notes: ["n1", "n2"], range: () => "±2" };
  const { data, layout } = poster(built, [row], theme, words);
  assert.deepEqual(
    layout.annotations.map((note) => note.text),
    ["<b>f</b>  a &lt; b   ±2", "<b>t</b>", "n1", "n2"],
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

test("a title that takes more lines has room for each of them above the rows", () => {
  const of = (title) => poster(built, [row], theme, { title, notes: [] });
  const [one, more] = [of("t"), of("half is gone after some steps, ".repeat(9))];
  const lines = more.layout.annotations.at(-1).text.split("<br>").length;
  assert.ok(lines > 3);
  for (const [k, seen] of [
    more.layout.margin.t - one.layout.margin.t,
    more.places[0].top - one.places[0].top,
  ].entries())
    assert.ok(seen >= 1.25 * 17 * (lines - 1), `${k}`);
});

test("lines are named in a file, over as many rows as their names need, each in its colour", () => {
  const keys = Array.from({ length: 9 }, (_, k) => ({ label: `network < ${k}`, color: `#00000${k}`, dash: "──" }));
  const one = poster(built, [row], theme, { title: "t", notes: [], keys: keys.slice(0, 1) });
  const many = poster(built, [row], theme, { title: "t", notes: [], keys });
  const { text } = many.layout.annotations.at(-1);
  assert.equal(text.match(/<span style="color:#00000\d">── network &lt; \d<\/span>/g).length, 9);
  const rows = text.split("<br>");
  assert.ok(rows.length > 1 && rows.every((line) => line.replace(/<[^>]+>/g, "").length < 70));
  const more = many.places[0].top - one.places[0].top;
  assert.equal(more, many.layout.height - one.layout.height);
  assert.ok(more >= 20 * (rows.length - 1));
});

test("every text of a file begins where it was put, whatever letters the file is shown in", () => {
  const { layout } = poster(built, [row], theme, { title: "t", notes: ["n"], keys: [] });
  assert.deepEqual([...new Set(layout.annotations.map(({ align, xanchor }) => `${align} ${xanchor}`))], ["left left"]);
});

test("numbers of steps have room between them, however narrow the picture and large its letters", () => {
  for (const width of [240, 390, 640, 1280])
    for (const letters of [14, 18])
      for (const L of [1, 2, 9, 16, 24, 64, 200, 2000]) {
        const around = marginOf(width, letters);
        const { dtick, nticks } = stepTicks({ L, narrow: !around.column }, width, around);
        const across = Math.max(0, width - around.left - around.right);
        const wide = 0.6 * letters * `${L}`.length;
        const count = dtick ? L : nticks;
        assert.ok(count === 2 || count * (wide + 0.6 * letters) <= across, `${[width, letters, L, count]}`);
      }
});
