// What is left of a nudge while a hand drags it.

import assert from "node:assert/strict";
import test from "node:test";

import { lineOf, nudgedAt } from "../../seqviz/scope/web/following.js";

const STEPS = 5;
// Row s of a nudge at step s, from its own step on: 10 s + t.
const ALL = Float32Array.from(
  Array.from({ length: STEPS }, (_, s) => Array.from({ length: STEPS - s }, (_v, k) => 10 * s + s + k)).flat(),
);

test("the curve of a nudge begins at its step and is that row's", () => {
  for (let s = 0; s < STEPS; s++) {
    const found = [...nudgedAt(ALL, s, STEPS)];
    assert.deepEqual(
      found,
      Array.from({ length: STEPS }, (_, t) => (t < s ? -Infinity : 10 * s + t)),
    );
  }
});

test("a line ends where there is no number, and begins again after it", () => {
  const path = lineOf(
    Float32Array.of(0, 1, NaN, 2),
    (t) => 10 * t,
    (v) => 100 - v,
  );
  assert.equal(path, "M0.0,100.0L10.0,99.0M30.0,98.0");
});

test("what is exactly 0 has no line of its own, but for where it rises and falls", () => {
  const line = (...values) =>
    lineOf(
      Float32Array.from(values),
      (t) => t,
      (v) => (v === -Infinity ? 9 : Math.abs(v)),
    );
  assert.equal(line(-Infinity, -Infinity, 0, -1), "M1.0,9.0L2.0,0.0L3.0,1.0");
  assert.equal(line(0, -Infinity, -Infinity, -Infinity), "M0.0,0.0L1.0,9.0");
});
