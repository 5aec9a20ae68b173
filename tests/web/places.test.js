// Where a person is, and what is marked there, in panels that have no page around them.

import assert from "node:assert/strict";
import test from "node:test";

import { CellView } from "../../seqviz/scope/web/cell.js";
import { changes } from "../../seqviz/scope/web/scopemarks.js";
import { Timeline } from "../../seqviz/scope/web/timeline.js";
import { Scope } from "../../seqviz/scope/web/view.js";

// One of a panel's kind with these fields and no more: its constructor would build elements.
function bare(kind, fields) {
  const panel = Object.create(kind.prototype);
  for (const [name, value] of Object.entries(fields)) Object.defineProperty(panel, name, { value, writable: true });
  return panel;
}
const nothing = () => {};

test("the walk through a cell ends where it ends, and from the whole it begins at either end", () => {
  const walk = (phase, by) => {
    const cell = bare(CellView, {
      form: { phases: [..."abcd"] },
      state: { phase },
      place: nothing,
      viewChanged: nothing,
    });
    cell.toPhase(by);
    return cell.state.phase;
  };
  assert.deepEqual([walk(null, 1), walk(null, -1)], [0, 3]);
  assert.deepEqual([walk(0, 1), walk(2, -1), walk(0, -1), walk(3, 1)], [1, 1, 0, 3]);
  assert.equal(walk(2, null), null);
});

test("what is held before the squashing is marked on the row that it is squashed into", () => {
  globalThis.document = /** @type {any} */ ({
    createElement: () => ({ setAttribute: nothing, append: nothing }),
  });
  const row = (signal, kind) => ({ signal, kind });
  const rows = [row("x", "line"), row("f", "gate"), row("c", "state"), row("h", "state")];
  const places = rows.map((_, k) => ({ top: 40 * k, height: 30 }));
  const state = { L: 9, order: [2, 0, 1], folded: new Set(), hidden: 3 };
  const marked = (signal, units) => {
    const rules = [{ signal, units, steps: [2, 5], says: "held" }];
    return changes({ layer: 0, rules }, rows, places, state).map(({ region }) => region);
  };
  for (const signal of ["l0.f", "l0.f_pre", "l0.f_ih", "l0.f_hh"])
    assert.deepEqual(marked(signal, null), [{ from: 2, to: 5, place: places[1] }]);
  assert.deepEqual(marked("l0.h_pre", [0])[0].place, { top: 130, height: 10 }); // drawn second of three
  assert.deepEqual(marked("x", null), [{ from: 2, to: 5, place: places[0] }]);
  assert.deepEqual([marked("l1.f", null), marked("l0.y", null)], [[], []]);
});

test("the unit under the pointer is read, and without one the chosen unit", () => {
  const read = (hover) => {
    const seen = [];
    const scope = bare(Scope, {
      header: { inputs: 1, layer: 0 },
      state: { hover, unit: 1, hidden: 3, L: 2, secret: true, names: [] },
      rows: [],
      now: { h: Float32Array.of(0, 1, 2, 3, 4, 5) },
      message: { arrays: {} },
      units: { show: (unit) => seen.push(unit) },
      area: { note: {}, built: null },
      ends: { show: nothing },
      inspector: { show: ({ unit, read }) => seen.push(unit, read("h", 1, unit)) },
    });
    scope.inspect(1);
    return [...seen, scope.area.note.textContent];
  };
  assert.deepEqual(read(null), [1, 1, 4, "unit 1"]);
  assert.deepEqual(read({ step: 1, unit: 2 }), [2, 2, 5, "unit 2"]);
  assert.deepEqual(read({ step: 1, unit: 0 }), [0, 0, 3, "unit 0"]);
});

test("a view of a pinned run is let go with the pin, and what lies outside a run comes into it", () => {
  const within = (baseline, state) => {
    const scope = bare(Scope, { header: { steps: 5, hidden: 2 }, state: { zoom: null, ...state }, baseline });
    scope.within();
    return scope.state;
  };
  for (const view of ["baseline", "difference"]) {
    assert.equal(within(null, { view, step: 0, unit: 0 }).view, "now");
    assert.equal(within({}, { view, step: 0, unit: 0 }).view, view);
  }
  const { step, unit } = within(null, { view: "now", step: 9, unit: 7 });
  assert.deepEqual([step, unit], [4, 1]);
});

test("a press that moves 4 pixels or more is a drag and chooses nothing", () => {
  const chosen = (x, y, type = "pointerup") => {
    const found = [];
    const line = bare(Timeline, {
      down: { x: 100, y: 100 },
      under: () => ({ step: 3, unit: 1 }),
      chosen: ({ unit }) => found.push(unit),
      move: (step) => found.push(step),
    });
    line.released({ clientX: x, clientY: y, type, target: {} });
    assert.equal(line.down, null);
    return found;
  };
  assert.deepEqual(
    [chosen(100, 100), chosen(102, 103)],
    [
      [1, 3],
      [1, 3],
    ],
  );
  for (const [x, y] of [
    [104, 100],
    [100, 96],
    [130, 100],
    [100, 300],
    [499, 100],
  ])
    assert.deepEqual(chosen(x, y), [], `${x}, ${y}`);
  assert.deepEqual(chosen(100, 100, "pointercancel"), []);
});
