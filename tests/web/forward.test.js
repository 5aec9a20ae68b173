// The browser's forward pass, against what is known without it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { forward, rulesOf } from "../../seqviz/scope/web/forward.js";
import { affine, span, unpack } from "../../seqviz/scope/web/tape.js";

const CELLS = JSON.parse(readFileSync(new URL("./cells.json", import.meta.url), "utf8"));
const logit = (p) => Math.log(p / (1 - p));
const near = (found, wanted, by = 1e-6) =>
  assert.ok(Math.abs(found - wanted) <= by, `${found} is not ${wanted} within ${by}`);

// One unit whose gates are set by their biases alone.
function alone(cell, biases, more = {}) {
  const rows = biases.length;
  const parameters = {
    weight_ih_l0: new Float32Array(rows),
    weight_hh_l0: new Float32Array(rows),
    bias_ih_l0: Float32Array.from(biases),
    bias_hh_l0: new Float32Array(rows),
    "readout.weight": Float32Array.of(1),
    "readout.bias": Float32Array.of(0),
    ...more,
  };
  return { cell: CELLS[cell], hidden: 1, layers: 1, inputs: 1, outputs: 1, parameters };
}

test("an LSTM with f = .7, i = .4, g = .8, o = .6 and no memory keeps .32 and shows .6 tanh(.32)", () => {
  const model = alone("LSTM", [logit(0.4), logit(0.7), Math.atanh(0.8), logit(0.6)]);
  const found = forward(model, Float32Array.of(0, 0, 0));
  near(found["l0.c"][0], 0.32);
  near(found["l0.h"][0], 0.6 * Math.tanh(0.32));
  near(found["l0.c"][2], 0.32 * (1 + 0.7 + 0.49));
  assert.deepEqual([...found.y], [...found["l0.h"]]);
});

test("under a constant forget gate a cell that was set decays as f^k", () => {
  const model = alone("LSTM", [-200, logit(0.9), 0, 0]);
  const rules = [{ signal: "l0.c", kind: "clamp", value: 5, units: null, steps: [0, 1] }];
  const c = forward(model, new Float32Array(50), rules)["l0.c"];
  for (const k of [1, 10, 49]) near(c[k], 5 * 0.9 ** k, 1e-5);
});

test("the GRU's reset gate multiplies after the product, with its bias inside", () => {
  const bias_hh_l0 = Float32Array.of(0, 0, 2);
  const found = forward(alone("GRU", [logit(0.25), -200, 0], { bias_hh_l0 }), Float32Array.of(0));
  near(found["l0.n"][0], Math.tanh(0.5));
  near(found["l0.h"][0], Math.tanh(0.5));
});

test("what overflows a 32-bit float is infinite, and then no number", () => {
  const model = alone("RNN_RELU", [0], { weight_ih_l0: Float32Array.of(3e38), weight_hh_l0: Float32Array.of(-1) });
  const h = forward(model, Float32Array.of(1, 10, 0))["l0.h"];
  assert.equal(h[0], Math.fround(3e38));
  assert.equal(h[1], Infinity);
  assert.equal(h[2], 0);
});

test("an edit of a signal reaches what comes after it and nothing before", () => {
  const model = alone("LSTM", [0.3, 0.2, 0.7, 0.1]);
  const x = new Float32Array(6);
  const [plain, held] = [
    forward(model, x),
    forward(model, x, [{ signal: "l0.f", kind: "clamp", value: 1, steps: [3, 4] }]),
  ];
  for (const name of ["l0.i", "l0.g", "l0.o"]) assert.deepEqual(held[name], plain[name]);
  assert.deepEqual(held["l0.c"].slice(0, 3), plain["l0.c"].slice(0, 3));
  assert.equal(held["l0.f"][3], 1);
  for (const t of [3, 4, 5]) assert.ok(held["l0.c"][t] > plain["l0.c"][t]);
});

test("packed weights are taken apart without a copy", () => {
  const weight_hh_l1 = Float32Array.from({ length: 12 }, (_, k) => k);
  const zero = new Float32Array(6);
  const named = unpack(CELLS.GRU, { weight_ih_l1: zero, weight_hh_l1, bias_ih_l1: zero, bias_hh_l1: zero }, "_l1");
  assert.deepEqual([...named.W_hz], [4, 5, 6, 7]);
  assert.equal(named.W_hz.buffer, weight_hh_l1.buffer);
});

test("a sum is rounded at its end where nothing overflows, and at every step where something might", () => {
  const out = new Float32Array(1);
  affine(Float32Array.of(1e8, 1, -1e8), null, out, Float32Array.of(1, 1, 1))();
  assert.equal(out[0], 1);
  affine(Float32Array.of(3e38, 3e38, -3e38), null, out, Float32Array.of(1, 1, 1))();
  assert.equal(out[0], Infinity);
});

test("spans of steps count from the end as Python's do", () => {
  assert.deepEqual(span(null, 9), [0, 9]);
  assert.deepEqual(span([-3, null], 9), [6, 9]);
  assert.deepEqual(span([-30, 40], 9), [0, 9]);
  const rules = [{ signal: "l0.f", steps: [2, 4], units: [1] }];
  const found = (step, unit) => rulesOf(rules, "l0.f", step, unit, 9).length;
  assert.deepEqual([found(2, 1), found(4, 1), found(2, 0), found(3, null)], [1, 0, 0, 1]);
});
