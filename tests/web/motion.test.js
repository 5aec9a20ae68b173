// What moves by itself does not for people who ask for less motion: it is at its end at once.

import assert from "node:assert/strict";
import test from "node:test";

import { Lens } from "../../seqviz/scope/web/lens.js";
import { PHASES } from "../../seqviz/scope/web/memory.js";
import { MemoryView } from "../../seqviz/scope/web/memoryview.js";
import { Shuffle } from "../../seqviz/scope/web/shuffle.js";
import { Spectrum } from "../../seqviz/scope/web/spectrum.js";
import { Spot } from "../../seqviz/scope/web/spot.js";
import { spotlight } from "../../seqviz/scope/web/spotlight.js";

// Do something as somebody with this wish; how many frames it asked for.
function frames(calm, act) {
  let count = 0;
  globalThis.matchMedia = (query) => ({ matches: calm && query === "(prefers-reduced-motion: reduce)" });
  globalThis.requestAnimationFrame = () => ++count;
  globalThis.cancelAnimationFrame = () => {};
  act();
  return count;
}

const bare = (kind, fields) => Object.assign(Object.create(kind.prototype), fields);

const numbers = { x: [1, 2, 3], order: undefined };
const seen = (order, x) => ({ header: { steps: 3 }, arrays: { ...numbers, order, x } });

const MOVES = {
  "columns that are shuffled": (told) => {
    const shuffle = bare(Shuffle, { canvas: { hidden: false }, flow: { area: { drawn: true } } });
    shuffle.run(seen(undefined, [1, 2, 3]), seen([2, 0, 1], [3, 1, 2]), () => told.push("done"));
  },
  "a tank that fills": (told) => bare(MemoryView, { draw: (at) => told.push(at === PHASES ? "done" : at) }).run(),
  "a column that opens": (told) => {
    const scope = { player: { on: false }, viewChanged() {}, place: () => told.push(lens.share === 1 ? "done" : "") };
    const lens = bare(Lens, { open: false, share: 0, scope });
    lens.toggle(true);
  },
};

for (const [name, act] of Object.entries(MOVES))
  test(`${name}`, () => {
    const [calm, lively] = [[], []];
    assert.equal(
      frames(true, () => act(calm)),
      0,
    );
    assert.deepEqual(calm, ["done"]);
    assert.equal(
      frames(false, () => act(lively)),
      1,
    );
    assert.ok(!lively.includes("done"));
  });

test("a lesson's step plays by itself, and what it speaks of is scrolled to, only for who has not asked for less", () => {
  for (const calm of [true, false]) {
    const told = [];
    spotlight.spot = { key: "a.b", step: 0, unit: 0, part: null, light: [], cover: [], play: true };
    const time = { speed: { value: "" } };
    const panel = {
      header: { panel: "scope" },
      state: { step: 3, speed: 1 },
      time,
      player: { start: () => told.push("") },
    };
    frames(calm, () => bare(Spot, { panel }).play());
    assert.equal(told.length, calm ? 0 : 1);
    const root = { scrollIntoView: ({ behavior }) => told.push(behavior) };
    frames(calm, () => bare(Spectrum, { root }).reveal());
    assert.equal(told.at(-1), calm ? "auto" : "smooth");
  }
  spotlight.spot = null;
});
