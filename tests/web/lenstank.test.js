// The memory in an open column: what its bars are filled with comes to the numbers that stand on them.

import assert from "node:assert/strict";
import test from "node:test";

import { fillings, spanned } from "../../seqviz/scope/web/lenstank.js";

const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-12, `${a} is not ${b}`);
const draw = (k) => 2 * ((Math.sin(12.9898 * (k + 1)) * 43758.5453) % 1);

// Numbers of either sign, and gates that somebody holds outside of 0 to 1.
for (let k = 0; k < 200; k += 4)
  test(`what is filled is what is left, what is new, and what shows: ${k / 4}`, () => {
    const [before, f, written, o] = [0, 1, 2, 3].map((j) => draw(k + j));
    const kept = f * before;
    const now = kept + written;
    const whole = Math.tanh(now);
    const found = fillings({ before, kept, written, now, whole, out: o * whole });
    const filled = (bar, looks) => found[bar].filter(({ look }) => looks.includes(look));
    near(filled("before", ["soft"])[0].to, kept);
    assert.deepEqual(filled("before", ["gone"])[0], { from: kept, to: before, look: "gone" });
    // From 0 on without a gap to the state, whatever has gone is drawn beyond it.
    const parts = filled("now", ["soft", "full"]);
    assert.equal(parts[0].from, 0);
    near(parts.at(-1).to, now);
    parts.slice(1).forEach((part, j) => assert.equal(part.from, parts[j].to));
    const away = filled("now", ["gone"]);
    assert.equal(away.length, +(written * kept < 0));
    for (const { from, to } of away) assert.ok(Math.max(Math.abs(from), Math.abs(to)) >= Math.abs(kept) - 1e-12);
    assert.deepEqual(
      found.out.map(({ to }) => to),
      [o * whole, whole],
    );
  });

test("a bar goes from 0 as far as the unit does, and is there where it does nothing", () => {
  assert.deepEqual(spanned([0.1, 0.3]), [0, 0.3]);
  assert.deepEqual(spanned([-2, NaN, 0.5]), [-2, 0.5]);
  assert.deepEqual(spanned([0, 0]), [0, 1]);
});
