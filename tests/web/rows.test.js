// The range of a row of lines, against what a browser can place.

import assert from "node:assert/strict";
import test from "node:test";

import { lineRange, rowData } from "../../seqviz/scope/web/rows.js";

test("a range holds every finite number and is finite itself", () => {
  for (const values of [
    [1, -Infinity, 3],
    [Infinity, -2, NaN],
    [-3e38, 3e38],
    [-1e37, 5],
    [NaN, NaN],
  ]) {
    const [low, high] = lineRange(Float32Array.from(values), [-1, 1]);
    assert.ok(Number.isFinite(low) && Number.isFinite(high) && low < high, `${values}: ${low}, ${high}`);
    for (const value of Float32Array.from(values).filter(Number.isFinite)) assert.ok(low < value && value < high);
  }
});

test("a line that left its range under the hand is placed where a browser can place it", () => {
  const state = { L: 3, ranges: { y: [-1, 1] } };
  const [line] = rowData({ kind: "line", signal: "y", width: 1 }, [0.5, -3e38, NaN], {
    ...state,
    folded: new Set(),
  }).lines;
  assert.equal(line[0], 0.5);
  assert.ok(line[1] < -1 && line[1] > -1e5);
  assert.ok(Number.isNaN(line[2]));
});
