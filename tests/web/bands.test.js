// Several seeds of a race: who is of one kind, and from where to where they reach.

import assert from "node:assert/strict";
import test from "node:test";

import { band, groups } from "../../seqviz/scope/web/bands.js";

test("runs of one kind are one group, in the order in which they came", () => {
  const nets = [{ name: "GRU" }, { name: "RNN", group: "RNN" }, { name: "RNN · 1", group: "RNN" }];
  assert.deepEqual(
    groups(nets).map((group) => group.map(({ name }) => name)),
    [["GRU"], ["RNN", "RNN · 1"]],
  );
});

test("a band holds every run, and a run that has ended stays where it ended", () => {
  const runs = [
    [1, 0.5, NaN, NaN],
    [2, NaN, 0.8, 0.1],
  ];
  assert.deepEqual(band(runs), { low: [1, 0.5, 0.5, 0.1], high: [2, 2, 0.8, 0.5] });
  assert.deepEqual(band([[NaN, 3]]), { low: [null, 3], high: [null, 3] });
});
