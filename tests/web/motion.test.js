// What moves by itself does not for people who ask for less motion: it is at its end at once.

import assert from "node:assert/strict";
import test from "node:test";

import { Learning } from "../../seqviz/scope/web/learning.js";
import { Lens } from "../../seqviz/scope/web/lens.js";
import { PHASES } from "../../seqviz/scope/web/memory.js";
import { MemoryView } from "../../seqviz/scope/web/memoryview.js";
import { Opening } from "../../seqviz/scope/web/opening.js";
import { Player } from "../../seqviz/scope/web/player.js";
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

// The story that the app opens on, for somebody with this wish: what the hand can do, and what has come of it.
function opened(calm, header = { opening: true }) {
  let heard;
  const opening = new Opening({ touched: (act) => ((heard = act), () => {}) });
  const state = { step: 0, L: 24, speed: "12" };
  const player = new Player({ state: () => state, move: (step) => (state.step = step), shown: () => {} });
  const scope = { header, state, player, time: { speed: { value: "" } } };
  return { opening, player, state, touch: (event) => heard(event), begin: () => opening.begin(scope), calm };
}
const elsewhere = { target: null };

test("the story plays once by itself, unless somebody asks for less motion, was quicker, or opened something else", () => {
  globalThis.KeyboardEvent ??= class {};
  globalThis.Element ??= class {};
  for (const calm of [true, false]) {
    const story = opened(calm);
    assert.equal(
      frames(calm, () => story.begin()),
      calm ? 0 : 1,
    );
    assert.equal(story.player.on, !calm);
    assert.equal(story.state.speed, calm ? "12" : "6");
    frames(calm, () => story.touch(elsewhere));
    assert.equal(story.player.on, false);
    assert.equal(
      frames(calm, () => story.begin()),
      0,
      "it played again",
    );
  }
  const quick = opened(false);
  frames(false, () => quick.touch(elsewhere));
  assert.equal(
    frames(false, () => quick.begin()),
    0,
  );
  const other = opened(false, {});
  assert.equal(
    frames(false, () => other.begin()),
    0,
  );
});

test("a race that is watched, and one that is over, plays nothing by itself", () => {
  for (const calm of [true, false]) {
    const state = { step: 0 };
    const move = (step) => (state.step = step);
    const player = new Player({ state: () => state, move, shown: () => {} });
    const [whole, speed] = [{ selected: true }, { value: "" }];
    const learning = bare(Learning, { state, player, whole, time: { speed, reach() {} }, status: {}, follow: true });
    learning.draw = () => {};
    const arrays = {};
    const asked = frames(calm, () => {
      for (const count of [1, 2, 40])
        learning.update({ header: { run: 1, count, rows: [], status: "", at: null }, arrays });
    });
    assert.deepEqual([asked, player.on, state.step], [0, false, 39], "the newest checkpoint is shown, at once");
    assert.equal(+state.speed, 39 / 6, "a replay takes six seconds");
  }
});
