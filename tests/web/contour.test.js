// Contours on a grid.

import assert from "node:assert/strict";
import test from "node:test";
import { contour, shade } from "../../seqviz/scope/web/contour.js";

test("a plane is crossed by one straight line, where the interpolation says", () => {
  const values = [];
  for (let y = 0; y < 4; y++) for (let x = 0; x < 5; x++) values.push(x + 2 * y);
  const found = contour(values, 5, 4, 3.5);
  assert.ok(found.length >= 3);
  for (const [a, b, c, d] of found)
    for (const [x, y] of [
      [a, b],
      [c, d],
    ])
      assert.ok(Math.abs(x + 2 * y - 3.5) < 1e-9);
});

test("no line where nothing crosses, none through what is no number", () => {
  assert.deepEqual(contour([1, 2, 3, 4], 2, 2, 9), []);
  assert.deepEqual(contour([-1, NaN, NaN, NaN], 2, 2, 0), []);
});

test("an island has a closed line of four pieces", () => {
  const found = contour([-1, -1, -1, -1, 1, -1, -1, -1, -1], 3, 3, 0);
  assert.equal(found.length, 4);
  const ends = found.flatMap(([a, b, c, d]) => [`${a},${b}`, `${c},${d}`]).sort();
  for (let k = 0; k < ends.length; k += 2) assert.equal(ends[k], ends[k + 1]);
});

test("the root of a size, full at the reach", () => {
  assert.deepEqual(
    [-50, -12, 0, 3].map((v) => shade(v, 12)),
    [-1, -1, 0, 0.5],
  );
});
