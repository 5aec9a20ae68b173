// The cell that opens in its column: where the picture parts, and what the open column says of every kind of cell.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { forward } from "../../seqviz/scope/web/forward.js";
import { lawsOf, madeOf, mainOf, squashed, valuesOf } from "../../seqviz/scope/web/lensvalues.js";
import { Parting, roomOf } from "../../seqviz/scope/web/parting.js";

const CELLS = JSON.parse(readFileSync(new URL("./cells.json", import.meta.url), "utf8"));
const near = (a, b, slack = 1e-9) => assert.ok(Math.abs(a - b) <= slack, `${a} is not ${b}`);

test("every pixel of a parted picture comes from one, in order, and the open column is as wide as asked", () => {
  const parting = new Parting(600, 100, 125, 350);
  near(parting.across(0), 0);
  near(parting.across(600), 600);
  near(parting.across(125) - parting.across(100), 350);
  let last = -1;
  for (let px = 0; px <= 600; px += 0.5) {
    const now = parting.across(px);
    assert.ok(now > last);
    near(parting.back(now), px);
    last = now;
  }
  // The others are alike, on both sides.
  near((parting.across(50) - parting.across(25)) / 25, (parting.across(500) - parting.across(475)) / 25);
});

test("a column that takes the whole picture leaves nothing of the others, and is still found", () => {
  const parting = new Parting(300, 40, 60, 300);
  assert.deepEqual([parting.across(10), parting.across(200)], [0, 300]);
  near(parting.back(150), 50);
  assert.equal(roomOf(300, 14, true), 300);
  assert.equal(roomOf(1000, 14, false), 420);
  assert.equal(roomOf(600, 14, false), 346);
  assert.equal(roomOf(600, 18, false), 400);
  assert.equal(roomOf(200, 14, false), 200);
});

// A network with weights that nobody chose, and its run by the browser's own forward pass.
function network(name, hidden = 3) {
  const cell = CELLS[name];
  let seed = 7;
  const draw = (size) => Float32Array.from({ length: size }, () => (seed = (seed * 16807) % 2147483647) / 2 ** 30 - 1);
  const parameters = { "readout.weight": draw(hidden), "readout.bias": draw(1) };
  for (const [packed, names] of Object.entries(cell.packing)) {
    const wide = packed.startsWith("weight_ih") ? 2 : packed.startsWith("weight") ? hidden : 1;
    parameters[`${packed}_l0`] = draw(names.length * hidden * wide);
  }
  const model = { cell, hidden, layers: 1, inputs: 2, outputs: 1, parameters, columns: {} };
  const result = forward(model, draw(2 * 9));
  const now = { x: result.x };
  for (const [key, values] of Object.entries(result)) if (key.startsWith("l0.")) now[key.slice(3)] = values;
  return { description: cell, hidden, inputs: 2, layer: 0, rules: [], now, model };
}

const product = ({ factors }, v) =>
  factors.reduce((all, { name, base, through }) => all * (through === "tanh" ? Math.tanh(v[base]) : v[name]), 1);

for (const name of Object.keys(CELLS))
  test(`what stands in the column comes to what stands behind it: ${name}`, () => {
    const run = network(name);
    const laws = lawsOf(run.description);
    assert.deepEqual(laws.map(({ signal }) => signal).sort(), [...run.description.signals].sort());
    for (const [step, unit] of [
      [0, 0],
      [4, 1],
      [8, 2],
    ]) {
      const v = valuesOf(run, step, unit);
      for (const law of laws) {
        const sum = law.products.reduce((all, one) => all + one.sign * product(one, v), 0);
        const made = { tanh: Math.tanh, relu: (s) => Math.max(0, s), "": (s) => s }[law.squash];
        if (law.products.length) near(made(sum), v[law.signal], 1e-5);
        else assert.equal(squashed(law, v) === null, !law.squash, law.signal);
      }
    }
  });

test("the state of the step before stands first, where its wire comes in", () => {
  const first = (name) => mainOf(lawsOf(CELLS[name])).products[0].factors.map((factor) => factor.base);
  assert.deepEqual(first("LSTM"), ["c_", "f"]);
  assert.deepEqual(first("GRU"), ["h_", "z"]);
  assert.deepEqual(first("RNN_TANH"), ["h_"]);
  assert.deepEqual(madeOf(CELLS.GRU, "n"), ["r"]);
});

test("a gate that somebody holds is not said to be squashed from its sum", () => {
  const run = network("LSTM");
  run.now.f = run.now.f.slice().fill(1);
  const [law] = lawsOf(run.description).filter(({ signal }) => signal === "f");
  assert.equal(squashed(law, valuesOf(run, 3, 0)), null);
});

test("without weights what the picture shows is told all the same", () => {
  const run = { ...network("LSTM"), model: null };
  const v = valuesOf(run, 4, 1);
  const [c] = lawsOf(run.description).filter(({ signal }) => signal === "c");
  near(
    c.products.reduce((all, one) => all + product(one, v), 0),
    v.c,
    1e-5,
  );
  assert.equal(squashed(lawsOf(run.description)[0], v), null);
});
