// The tank: what is drawn at any moment of the motion is what the numbers say that stand there.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { amounts, phaseAt, reach, scene, tankOf } from "../../seqviz/scope/web/memory.js";

const CELLS = JSON.parse(readFileSync(new URL("./cells.json", import.meta.url), "utf8"));

test("a cell has a tank where a gate keeps its state, and a shutter where another hides it", () => {
  const lstm = { state: "c", gate: "f", pour: ["i", "g"] };
  assert.deepEqual(tankOf(CELLS.LSTM), { ...lstm, shutter: { gate: "o", out: "h", through: "tanh" } });
  assert.deepEqual(tankOf(CELLS.GRU), { state: "h", gate: "z", pour: ["one_z", "n"], shutter: null });
  assert.equal(tankOf(CELLS.RNN_TANH), null);
  assert.equal(tankOf(CELLS.RNN_RELU), null);
  if (CELLS.PEEPHOLE) {
    const { shutter, ...rest } = tankOf(CELLS.PEEPHOLE);
    assert.deepEqual(rest, lstm);
    assert.deepEqual([shutter.gate, shutter.out], ["o", "h"]);
  }
});

const STEPS = [
  { f: 0.623, c_: 0.753, i: 0.577, g: 0.666 },
  { f: 0.9, c_: -2.5, i: 0.8, g: 0.95 },
  { f: 0.5, c_: 0.2, i: 1, g: -0.9 },
  { f: 1, c_: 0, i: 0, g: 1 },
].map((v) => {
  const c = v.f * v.c_ + v.i * v.g;
  return { ...v, c, o: 0.4, h: 0.4 * Math.tanh(c) };
});

test("a number stands there only once the picture shows it, and is what it shows", () => {
  for (const v of STEPS) {
    const sizes = amounts(tankOf(CELLS.LSTM), v);
    assert.ok(Math.abs(sizes.kept + sizes.written - sizes.now) < 1e-12);
    assert.ok(Math.abs(sizes.whole * v.o - sizes.out) < 1e-12);
    for (let at = 0; at <= 3.0001; at += 0.01) {
      const now = scene(sizes, Math.min(3, at));
      if (now.says !== null) assert.ok(Math.abs(now.says - now.level) < 1e-9, `${at}`);
      if (now.gate) assert.ok(Math.abs(now.kept - sizes.kept) < 1e-9);
      if (now.pour) assert.ok(Math.abs(now.level - sizes.now) < 1e-9);
      if (now.shown) assert.equal(now.opened, 1);
    }
    // In motion it says nothing.
    for (const at of [0.2, 0.9, 1.3, 1.9]) assert.equal(scene(sizes, at).says, null);
  }
});

test("the parts of the motion follow one another, with rest between", () => {
  const seen = [0, 260, 520, 560, 860, 1120, 1150, 1360, 1520, 9999].map(phaseAt);
  assert.deepEqual(seen, [0, 0.5, 1, 1, 1.5, 2, 2, 2.5, 3, 3]);
});

test("a tank reaches as far as the run does, and no less than 1", () => {
  assert.deepEqual(reach([0.2, 0.9]), [0, 1]);
  assert.deepEqual(reach([-0.2, 0.9]), [-1, 1]);
  assert.deepEqual(reach([0, 12, NaN, Infinity]), [0, 12]);
  assert.deepEqual(reach([-3, -1]), [-3, 0]);
  assert.deepEqual(reach([0, 0]), [0, 1]);
});
