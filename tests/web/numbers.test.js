// Numbers as people read them.

import assert from "node:assert/strict";
import test from "node:test";

import { alike, clamp, decades, largest, number, power } from "../../seqviz/scope/web/numbers.js";

test("a number has a minus, and none where it rounds to 0", () => {
  assert.equal(number(-0.0004), "0.000");
  assert.equal(number(-0.5, 2), "−0.50");
  assert.equal(number(Infinity), "∞");
  assert.equal(number(-Infinity), "−∞");
  assert.equal(number(NaN), "NaN");
  assert.equal(number(123456), "1.23e+5");
});

test("a power of ten is written with its exponent wherever a plain number would be hard to read", () => {
  assert.equal(power(-Infinity), "0");
  assert.equal(power(NaN), "–");
  assert.equal(power(0), "1.00");
  assert.equal(power(-4), "10⁻⁴");
  assert.equal(power(Math.log10(9.96e-5)), "10⁻⁴"); // 9.96 rounds to 10.0
  assert.equal(power(-400.5), "3.2×10⁻⁴⁰¹"); // far below what a double holds
});

test("a logarithmic axis spans a factor of four, downwards", () => {
  const [low, high] = decades([1, 1]);
  assert.ok(high > 0 && high < 0.1 && low < -0.6);
  assert.deepEqual(decades([0, NaN, Infinity]), [-1, 0]);
});

test("clamped, largest and alike", () => {
  assert.deepEqual(
    [-1, 0.5, 7].map((v) => clamp(v, 0, 1)),
    [0, 0.5, 1],
  );
  assert.equal(largest([1, -3, Infinity, NaN]), 3);
  assert.equal(alike([1, 2], [1, 2.00001], 1e-5), true);
  assert.equal(alike([1, 2], [1, 2.1], 1e-5), false);
  assert.equal(alike([NaN], [NaN]), false);
  assert.equal(alike(undefined, [1]), false);
});
