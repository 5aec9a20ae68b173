// Which steps of a picture that plays are frames, and which of their pixels are written.

import assert from "node:assert/strict";
import test from "node:test";

import { changed, frames } from "../../seqviz/scope/web/film.js";

test("every step is a frame, of a long sequence every few, the first and the last among them", () => {
  assert.deepEqual(frames(1), [0]);
  assert.deepEqual(frames(5), [0, 1, 2, 3, 4]);
  for (const steps of [2, 119, 120, 121, 500, 2000]) {
    const found = frames(steps);
    assert.ok(found.length <= 120, `${steps}`);
    assert.deepEqual([found[0], found.at(-1)], [0, steps - 1]);
    assert.deepEqual(
      found,
      [...new Set(found)].sort((a, b) => a - b),
    );
    const gaps = found.slice(1).map((t, k) => t - found[k]);
    assert.ok(Math.max(...gaps) <= Math.ceil((steps - 1) / 119));
  }
});

test("a frame writes what has changed, and the first all of it", () => {
  const [before, now] = [Uint8Array.of(1, 2, 3), Uint8Array.of(1, 9, 3)];
  assert.deepEqual([...changed(before, null)], [1, 2, 3]);
  assert.deepEqual([...changed(now, before)], [255, 9, 255]);
});
