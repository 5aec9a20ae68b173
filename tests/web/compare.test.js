// Comparing networks: where shuffled steps came from, and in how few steps lies what an output rests on.

import assert from "node:assert/strict";
import test from "node:test";

import { holding } from "../../seqviz/scope/web/resting.js";
import { movedFrom } from "../../seqviz/scope/web/shuffle.js";

const seen = (x, order) => ({
  header: { steps: x.length },
  arrays: { x: Float32Array.from(x), ...(order ? { order: Float32Array.from(order) } : {}) },
});

test("a shuffled picture's columns come from where its steps were, and go back there", () => {
  const [plain, order] = [
    [1, 2, 3, 4],
    [2, 0, 3, 1],
  ];
  const mixed = order.map((t) => plain[t]);
  assert.deepEqual(movedFrom(seen(plain), seen(mixed, order)), order);
  const back = movedFrom(seen(mixed, order), seen(plain));
  assert.deepEqual(
    back.map((k) => mixed[k]),
    plain,
  );
});

test("nothing moves between pictures that are not the same steps in another order", () => {
  const order = [1, 0, 2];
  assert.equal(movedFrom(seen([1, 2, 3]), seen([1, 2, 3])), null);
  assert.equal(movedFrom(seen([1, 2, 3]), seen([2, 1, 4], order)), null);
  assert.equal(movedFrom(seen([1, 2, 3, 4]), seen([2, 1, 3], order)), null);
  assert.equal(movedFrom(seen([2, 1, 3], order), seen([2, 1, 3], order)), null);
});

test("most of what an output rests on lies in as many steps as hold nine tenths of the squares", () => {
  assert.equal(holding(Float32Array.of(0, 0, 1, 0)), 1);
  assert.equal(holding(Float32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)), 9);
  assert.equal(holding(Float32Array.of(3, 1, 0, 0)), 2); // 9 of 10 lie at the first step, two back from the last that counts
  assert.equal(holding(Float32Array.of(0, 0)), 0);
});
