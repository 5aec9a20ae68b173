// What of a cell is to be guessed.

import assert from "node:assert/strict";
import test from "node:test";

import { cover, hides } from "../../seqviz/scope/web/guess.js";

const PHASES = { x: 0, f: 1, f_pre: 1, c: 3, h: 4, z: 3 };
const WALK = { phases: PHASES, given: { one_z: "z" } };
const state = (more = {}) => ({ phase: null, hidden: false, covered: new Set(), bared: new Set(), ...more });
const hidden = (s, names = Object.keys(PHASES)) => names.filter((name) => hides(s, WALK, name));

test("nothing is hidden at first, and the input never by the walk", () => {
  assert.deepEqual(hidden(state()), []);
  assert.deepEqual(hidden(state({ hidden: true })), ["f", "f_pre", "c", "h", "z"]);
  assert.deepEqual(hidden(state({ hidden: true, phase: 3 })), ["c", "h", "z"]);
});

test("one value is covered and shown again, with what would give it away", () => {
  const s = state();
  cover(s, WALK, "f_ih:w");
  assert.ok(["f_ih", "f_ih:w", "f_ih:b"].every((name) => hides(s, WALK, name)));
  assert.ok(!hides(s, WALK, "f_hh"));
  cover(s, WALK, "f_ih");
  assert.ok(!hides(s, WALK, "f_ih:b"));
  cover(s, WALK, "one_z");
  assert.deepEqual(hidden(s), ["z"]);
});

test("a value bared among hidden ones can be hidden again, and all are shown at once", () => {
  const s = state({ hidden: true });
  cover(s, WALK, "c");
  assert.ok(!hides(s, WALK, "c"));
  cover(s, WALK, "c");
  assert.ok(hides(s, WALK, "c"));
  cover(s, WALK, null);
  assert.deepEqual(hidden(s), []);
});
