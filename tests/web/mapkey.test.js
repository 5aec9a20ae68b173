// What the lines of a map are called, and where that stands.

import assert from "node:assert/strict";
import test from "node:test";

import { meet, namesOf } from "../../seqviz/scope/web/mapkey.js";

const [columns, rows] = [33, 41];
const levels = [-10, -3, -1, Math.log10(0.5), 0];
const [x, y] = [(k) => 40 + 12 * (k + 0.5), (k) => 400 - 9 * (k + 0.5)];
const map = (value) =>
  Float32Array.from({ length: columns * rows }, (_, k) => value(k % columns, Math.floor(k / columns)));
const named = (value, taken) => namesOf(map(value), { columns, rows, levels }, x, y, taken);

test("every line has its name over it, and no name lies on another or on what was there", () => {
  const taken = [{ x: x(12), y: y(20) - 7, half: 40 }];
  const names = named((_, row) => row - 20, taken);
  assert.deepEqual(names.map(({ text }) => text).sort(), ["half is left", "no loss", "−1", "−10", "−3"].sort());
  for (const { level, y: at } of names) assert.ok(Math.abs(at - (y(20 + level) - 7)) < 0.1, `${level}`);
  const all = [...names, ...taken];
  all.forEach((one, k) => all.slice(k + 1).forEach((other) => assert.ok(!meet(one, other))));
});

test("a line that is not there has no name, and what is not measured has none", () => {
  assert.deepEqual(
    named(() => 1),
    [],
  );
  assert.deepEqual(
    named(() => NaN),
    [],
  );
  assert.deepEqual(
    named((column) => column - 16).map(({ text }) => text),
    ["no loss", "half is left", "−1", "−3", "−10"],
  );
});
