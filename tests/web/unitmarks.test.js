// Which units are named beside a row: none touches another, in its own row or in the next, and each is called right.

import assert from "node:assert/strict";
import test from "node:test";

import { figure } from "../../seqviz/scope/web/picture.js";
import { restyled } from "../../seqviz/scope/web/restyle.js";
import { unitMarks } from "../../seqviz/scope/web/unitmarks.js";

test("names stand inside their row, clear of one another and of the rows about it", () => {
  for (const letters of [14, 18, 22])
    for (let tall = 14; tall < 140; tall++)
      for (const n of [2, 3, 5, 6, 7, 16, 32, 512])
        for (const most of [2, 3]) {
          const { units, places } = unitMarks(n, tall, letters, most);
          const where = `${[letters, tall, n, units]}`;
          assert.equal(units.at(-1), n - 1, where);
          assert.ok(n <= 6 || units.length <= most, where);
          const middles = places.map((v) => ((v + 0.5) * tall) / n);
          const half = Math.min(0.42 * letters, 0.49 * tall);
          assert.ok(middles[0] > half && tall - middles.at(-1) > half, where);
          middles.slice(1).forEach((at, k) => assert.ok(at - middles[k] > 0.85 * letters, where));
          units.forEach((m, k) => {
            const off = Math.abs(places[k] - m) * (tall / n);
            assert.ok(units.length === 1 || off <= letters / 2, where);
          });
        }
});

const [L, H] = [3, 12];
const theme = { label: 18, sequential: {}, magnitude: [], diverging: [], hues: {}, lines: [], dashes: [] };
const rows = [{ signal: "h", kind: "state", symbol: "h", name: "hidden state", width: H }];
const numbers = { h: new Float32Array(L * H) };

test("units in another order are called by their numbers, in a picture that is drawn already too", () => {
  const order = [...Array(H).keys()];
  const state = { L, hidden: H, folded: new Set(), order, ranges: {}, view: "now", room: 400, zoom: null };
  const built = figure(rows, numbers, state, theme, 1000);
  assert.deepEqual(built.layout.yaxis.ticktext, ["0", "5", "11"]);
  assert.notDeepEqual(built.layout.yaxis.tickvals, [0, 5, 11], "the first stands lower than its line");
  const other = { ...state, order: order.toReversed() };
  const { relayout } = restyled(built, rows, numbers, other, theme, true);
  assert.deepEqual(relayout["yaxis.ticktext"], ["11", "6", "0"]);
});

test("a row that is folded, and one of a single unit, names none", () => {
  const state = { L, hidden: 1, folded: new Set(), order: [0], ranges: {}, view: "now", room: 400, zoom: null };
  const one = figure([{ ...rows[0], width: 1 }], { h: new Float32Array(L) }, state, theme, 1000);
  assert.deepEqual(one.layout.yaxis.ticktext, []);
  const shut = figure(rows, numbers, { ...state, hidden: H, folded: new Set(["h"]) }, theme, 1000);
  assert.deepEqual(shut.layout.yaxis.ticktext, []);
});
