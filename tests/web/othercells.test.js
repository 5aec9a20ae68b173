// Cells that nobody drew: their equations, their numbers, their drawing, out of the tape alone.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { graphOf } from "../../seqviz/scope/web/cellgraph.js";
import { drawn } from "../../seqviz/scope/web/celldrawing.js";
import { formOf } from "../../seqviz/scope/web/form.js";
import { StepValues } from "../../seqviz/scope/web/stepvalues.js";
import { unpack } from "../../seqviz/scope/web/tape.js";
import { equationsOf, filled, phasesOf, rowsOf, spelt } from "../../seqviz/scope/web/terms.js";

const CELLS = JSON.parse(readFileSync(new URL("./cells.json", import.meta.url), "utf8"));
const printed = (cell) => equationsOf(CELLS[cell]).map(({ law }) => spelt(law));

test("the equations are those of torch's documentation", () => {
  assert.deepEqual(printed("LSTM"), [
    "f_t = σ(W_if x_t + b_if + W_hf h_{t−1} + b_hf)",
    "i_t = σ(W_ii x_t + b_ii + W_hi h_{t−1} + b_hi)",
    "g_t = tanh(W_ig x_t + b_ig + W_hg h_{t−1} + b_hg)",
    "c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t",
    "o_t = σ(W_io x_t + b_io + W_ho h_{t−1} + b_ho)",
    "h_t = o_t ⊙ tanh(c_t)",
  ]);
  assert.deepEqual(printed("GRU").slice(2), [
    "n_t = tanh(W_in x_t + b_in + r_t ⊙ (W_hn h_{t−1} + b_hn))",
    "h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t−1}",
  ]);
});

test("a negative number stands in one pair of brackets, and in none where it begins", () => {
  const law = (cell, signal) => equationsOf(CELLS[cell]).find(({ value }) => value === signal).law;
  const v = { o: "0.490", c: "−0.002", f: "−1.000", c_: "−0.300", i: "0.500", g: "−0.250", z: "−0.100", n: "−0.2" };
  assert.equal(filled(law("LSTM", "h"), { ...v, h: "h" }), "h = 0.490 × tanh(−0.002)");
  assert.equal(filled(law("LSTM", "c").slice(1), v), " = −1.000 × (−0.300) + 0.500 × (−0.250)");
  assert.equal(
    filled(law("GRU", "h").slice(1), { ...v, h_: "−0.4" }),
    " = (1 − (−0.100)) × (−0.2) + (−0.100) × (−0.4)",
  );
  const a = { link: "c", text: ["c"] };
  assert.equal(filled([a, "^2 + min(", a, ", ", a, ")"], { c: "−2" }), "(−2)^2 + min(−2, −2)");
});

test("a step of a GRU is what a hand computes", () => {
  const description = CELLS.GRU;
  const [wih, whh, bih, bhh] = [
    [0.5, -1, 2],
    [1, 0.25, -0.5],
    [0.1, 0.2, 0.3],
    [-0.1, 0.4, 0.6],
  ].map((v) => Float32Array.from(v));
  const arrays = { x: Float32Array.of(9, 0.7), h: Float32Array.of(0.3, NaN) };
  const weights = unpack(description, { weight_ih: wih, weight_hh: whh, bias_ih: bih, bias_hh: bhh }, "");
  const all = new StepValues({ description, hidden: 1, inputs: 1 }, arrays, weights, 1);
  const sigmoid = (v) => 1 / (1 + Math.exp(-v));
  const r = sigmoid(0.5 * 0.7 + 0.1 + 1 * 0.3 - 0.1);
  const z = sigmoid(-1 * 0.7 + 0.2 + 0.25 * 0.3 + 0.4);
  const n = Math.tanh(2 * 0.7 + 0.3 + r * (-0.5 * 0.3 + 0.6));
  const { v, made } = all.ofUnit(0);
  for (const [name, wanted] of Object.entries({ r, z, n })) assert.ok(Math.abs(v[name] - wanted) < 1e-6, name);
  assert.ok(Math.abs(made.h - ((1 - z) * n + z * 0.3)) < 1e-6);
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

const { LSTM } = CELLS;
const BY_HAND = ["LSTM", "GRU", "RNN_TANH", "RNN_RELU"];

for (const [name, description] of Object.entries(CELLS)) {
  test(`${name}: every wire lights a term and every term a wire`, () => {
    const { parts, lines, same } = formOf(description);
    const links = (piece) => (typeof piece === "string" ? [] : [piece.link, ...piece.text.flatMap(links)]);
    const known = (all) => new Set(all.map((link) => same[link] ?? link));
    const wires = known(parts.map((part) => part.name));
    const terms = known(lines.flatMap(({ value, law }) => [value, ...law.flatMap(links)]));
    assert.deepEqual(
      [...wires].filter((link) => !terms.has(link) && link[0] !== "#"),
      [],
    );
    assert.deepEqual(
      [...terms].filter((link) => !wires.has(link)),
      [],
    );
  });

  test(`${name}: every row of the vectors is computed, and every wire that is spoken of has words`, () => {
    const { description: called, lines, parts, spoken } = formOf(description);
    const inputs = 2;
    const sizes = { weight_ih: inputs, weight_hh: 3 };
    const packed = Object.entries(called.packing).map(([part, rows]) => {
      return [part, new Float32Array(rows.length * 3 * (sizes[part] ?? 1)).fill(0.1)];
    });
    const signals = called.signals.map((signal) => [signal, new Float32Array(6).fill(0.2)]);
    const arrays = Object.fromEntries([...signals, ["x", new Float32Array(2 * inputs).fill(0.3)]]);
    const weights = unpack(called, Object.fromEntries(packed), "");
    const { named } = new StepValues({ description: called, hidden: 3, inputs }, arrays, weights, 1);
    for (const [text, row] of lines.flatMap((line) => rowsOf(line, new Set())))
      assert.ok(named[row]?.every(Number.isFinite), `${text}: ${row}`);
    for (const { value } of parts.filter(({ kind }) => kind === "wire")) {
      assert.ok(named[value], value);
      assert.doesNotMatch(spoken[value] ?? "", /[#_{]/);
    }
  });
}

test("a cell has the drawing that a hand made of its equations, whatever its name; any other is laid out", () => {
  const sizeOf = (description) => formOf(description).size.join();
  for (const name of BY_HAND) assert.equal(sizeOf({ ...CELLS[name], name: "mine" }), "680,384", name);
  for (const name of Object.keys(CELLS).filter((each) => !BY_HAND.includes(each)))
    assert.notEqual(sizeOf({ ...CELLS[name], name: "LSTM" }), "680,384", name);
  const nodes = LSTM.nodes.map((node, k) => (k === LSTM.where.h - 1 ? ["sin", ...node.slice(1)] : node));
  assert.notEqual(sizeOf({ ...LSTM, nodes }), "680,384"); // torch's name, and not torch's lines
  assert.equal(formOf(CELLS.PEEPHOLE).phases.length, 1 + CELLS.PEEPHOLE.signals.length);
});

test("the walk through a drawing by hand reaches each sum with its box, and the input at once", () => {
  const { phaseOf, lines, given } = formOf(CELLS.GRU);
  assert.deepEqual(
    lines.map(({ value, phase, result }) => [value, phase, result]),
    [
      ["r", 1, 1],
      ["n", 2, 2],
      ["z", 3, 3],
      ["h", 4, 4],
    ],
  );
  assert.deepEqual([phaseOf.x, phaseOf.h_, phaseOf.n_pre], [0, 0, 2]);
  assert.deepEqual(given, { one_z: "z" });
  const [{ phase, result }] = formOf(CELLS.RNN_TANH).lines;
  assert.deepEqual([phase, result], [1, 2]);
});
