// Cells that nobody drew: their equations, their numbers, their drawing, out of the tape alone.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { graphOf } from "../../seqviz/scope/web/cellgraph.js";
import { drawn } from "../../seqviz/scope/web/celldrawing.js";
import { formOf } from "../../seqviz/scope/web/form.js";
import { stepValues, unitOf } from "../../seqviz/scope/web/stepvalues.js";
import { equationsOf, flat, phasesOf } from "../../seqviz/scope/web/terms.js";

const CELLS = JSON.parse(readFileSync(new URL("./cells.json", import.meta.url), "utf8"));
const printed = (cell) => equationsOf(CELLS[cell]).map(({ law }) => law.map(flat).join(""));

test("the equations are those of torch's documentation", () => {
  assert.deepEqual(printed("LSTM"), [
    "i_t = σ(W_ii x_t + b_ii + W_hi h_{t−1} + b_hi)",
    "f_t = σ(W_if x_t + b_if + W_hf h_{t−1} + b_hf)",
    "g_t = tanh(W_ig x_t + b_ig + W_hg h_{t−1} + b_hg)",
    "o_t = σ(W_io x_t + b_io + W_ho h_{t−1} + b_ho)",
    "c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t",
    "h_t = o_t ⊙ tanh(c_t)",
  ]);
  assert.deepEqual(printed("GRU").slice(2), [
    "n_t = tanh(W_in x_t + b_in + r_t ⊙ (W_hn h_{t−1} + b_hn))",
    "h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t−1}",
  ]);
});

test("a step of a GRU is what a hand computes", () => {
  const description = CELLS.GRU;
  const [wih, whh, bih, bhh] = [
    [0.5, -1, 2],
    [1, 0.25, -0.5],
    [0.1, 0.2, 0.3],
    [-0.1, 0.4, 0.6],
  ].map((v) => Float32Array.from(v));
  const arrays = { x: Float32Array.of(9, 0.7), h: Float32Array.of(0.3, 0), w_ih: wih, w_hh: whh, b_ih: bih, b_hh: bhh };
  for (const name of ["r", "z", "n"]) arrays[name] = undefined;
  arrays.h = Float32Array.of(0.3, NaN);
  const { named, made } = stepValues({ description, hidden: 1, inputs: 1 }, arrays, 1);
  const sigmoid = (v) => 1 / (1 + Math.exp(-v));
  const r = sigmoid(0.5 * 0.7 + 0.1 + 1 * 0.3 - 0.1);
  const z = sigmoid(-1 * 0.7 + 0.2 + 0.25 * 0.3 + 0.4);
  const n = Math.tanh(2 * 0.7 + 0.3 + r * (-0.5 * 0.3 + 0.6));
  const v = unitOf(named, 0);
  for (const [name, wanted] of Object.entries({ r, z, n })) assert.ok(Math.abs(v[name] - wanted) < 1e-6, name);
  assert.ok(Math.abs(made.h[0] - ((1 - z) * n + z * 0.3)) < 1e-6);
  assert.ok(Number.isNaN(v.h)); // what the server sent, whatever the line makes of it
  assert.ok(Math.abs(v.h_ - 0.3) < 1e-7);
});

for (const [name, description] of Object.entries(CELLS)) {
  test(`${name}: every value that a drawing carries is computed, and reached by the walk`, () => {
    const phases = phasesOf(description);
    const { parts, size, ends } = drawn(description, phases);
    const known = new Set([...Object.keys(phases), ...description.states.map((state) => `${state}_`)]);
    for (const part of parts) assert.ok(known.has(part.value ?? part.name), `${part.kind} ${part.name}`);
    assert.equal(ends.filter(([, x]) => x > size[0] / 2).length, description.states.length);
    for (const { kind, x, y, path } of parts) {
      const numbers = kind === "wire" ? path.match(/-?\d+/g).map(Number) : [x, y];
      numbers.forEach((v, k) => assert.ok(v >= 0 && v <= size[k % 2], `${kind} leaves the picture at ${v}`));
    }
  });

  test(`${name}: nothing lies on anything else`, () => {
    const { parts } = drawn(description, phasesOf(description));
    const solid = parts.filter(({ kind }) => kind === "box" || kind === "op");
    for (const [k, a] of solid.entries())
      for (const b of solid.slice(k + 1))
        assert.ok(Math.abs(a.x - b.x) > 40 || Math.abs(a.y - b.y) > 30, `${a.name} on ${b.name}`);
  });

  test(`${name}: every vertex is reached from an end and leads to one`, () => {
    const { vertices, edges } = graphOf(description);
    for (const key of vertices.keys())
      assert.ok(
        edges.some(({ from, to }) => from === key || to === key),
        `${key} hangs in the air`,
      );
    for (const { from, to } of edges) assert.ok(vertices.has(from) && vertices.has(to));
  });
}

test("torch's cells keep the drawings that a hand made, any other has one of its own", () => {
  const { form, other } = {
    form: formOf(CELLS.LSTM),
    other: formOf({ ...CELLS.LSTM, name: "mine" }),
  };
  assert.deepEqual(form.size, [680, 384]);
  assert.notDeepEqual(other.size, form.size);
  assert.equal(other.phases.length, 1 + CELLS.LSTM.signals.length);
});
