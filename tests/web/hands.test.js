// What the hand draws and what plays by itself, without a page.

import assert from "node:assert/strict";
import test from "node:test";

import { Draft } from "../../seqviz/scope/web/draft.js";
import { Pen } from "../../seqviz/scope/web/pen.js";
import { Player } from "../../seqviz/scope/web/player.js";

const penAt = (stroke) => Object.assign(Object.create(Pen.prototype), { stroke });

test("a stroke that leaves steps out is a straight line, whichever way it goes", () => {
  for (const [from, to] of [
    [2, 6],
    [6, 2],
  ]) {
    const stroke = { feature: 0, edits: new Map([[from, 0]]), last: from };
    penAt(stroke).drawTo(to, 1);
    const way = Math.sign(to - from);
    const drawn = [0, 1, 2, 3, 4].map((k) => stroke.edits.get(from + way * k));
    assert.deepEqual(drawn, [0, 0.25, 0.5, 0.75, 1]);
    assert.equal(stroke.edits.size, 5);
  }
});

test("a stroke's first point is where the hand is", () => {
  const stroke = { feature: 0, edits: new Map(), last: 3 };
  penAt(stroke).drawTo(3, 0.7);
  assert.deepEqual([...stroke.edits], [[3, 0.7]]);
});

test("the pen takes the nearest feature, and of two as near the first", () => {
  const scope = { header: { inputs: 3 }, now: { x: [9, 9, 9, 0.5, 0, 1] } };
  const pen = Object.assign(Object.create(Pen.prototype), { scope });
  assert.equal(pen.nearest(1, 0.9), 2);
  assert.equal(pen.nearest(1, 0.1), 1);
  assert.equal(pen.nearest(1, 0.25), 0);
  assert.equal(pen.nearest(0, 0), 0);
});

test("playing from the last step begins at the first, and from any other goes on", () => {
  globalThis.requestAnimationFrame = () => 1;
  globalThis.cancelAnimationFrame = () => {};
  for (const [step, begins] of [
    [9, 0],
    [8, 8],
    [0, 0],
  ]) {
    const state = { step, L: 10, speed: "8" };
    const player = new Player({ state: () => state, move: (to) => (state.step = to), shown: () => {} });
    player.toggle();
    assert.ok(player.on);
    assert.equal(state.step, begins);
    player.toggle();
    assert.ok(!player.on);
  }
});

test("what the browser has painted and the server says too is left to Plotly until the hand rests", () => {
  const told = (draft, values) => {
    const scope = { now: { h: Float32Array.from(values) }, area: { parted: null } };
    const drafted = draft.drafted && { h: Float32Array.from(draft.drafted) };
    const one = Object.assign(Object.create(Draft.prototype), { scope, brush: { shown: true }, ...draft, drafted });
    const said = one.confirms({ header: { rows: [{ signal: "h" }] }, arrays: {} });
    assert.equal(one.drafted, null, "a draft is compared once");
    return said;
  };
  const same = [0.5, -0.25];
  assert.equal(told({ drafted: same, resting: 7 }, same), "painted");
  assert.equal(told({ drafted: same, resting: 7 }, [0.5, -0.26]), "new");
  assert.equal(told({ drafted: null, resting: 7 }, same), "new");
  assert.equal(told({ drafted: same, resting: 0, brush: { shown: false } }, same), "drawn");
  assert.equal(told({ drafted: same, resting: 0 }, same), "new", "Plotly is drawing, and knows no axes yet");
});
