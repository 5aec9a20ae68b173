// The product of the forget gates, and the bias that brings it to a place.

import assert from "node:assert/strict";
import test from "node:test";
import { biasFor, left, raised, road } from "../../seqviz/scope/web/road.js";

const sigmoid = (a) => 1 / (1 + Math.exp(-a));

test("one unit: the sum of the logs of its gates", () => {
  const drive = Float32Array.from([0.3, -0.2, 1.0, 0.5]);
  const { kept, low, high } = road(drive, [0.5], Float32Array.from([-3]));
  assert.equal(kept[3], 0);
  for (let t = 2, product = 1; t >= 0; t--) {
    product *= sigmoid(drive[t + 1] + 0.5);
    assert.ok(Math.abs(kept[t] - Math.log10(product)) < 1e-9);
    assert.ok(Math.abs(low[t] - kept[t]) < 1e-9 && Math.abs(high[t] - kept[t]) < 1e-9);
  }
});

test("two units: the norm of what arrives over the norm of what there is", () => {
  const drive = Float32Array.from([9, 9, 1, -1, 2, 0.5]);
  const asks = Float32Array.from([Math.log10(3), Math.log10(4)]);
  const { kept } = road(drive, [0, 0], asks);
  const product = [sigmoid(1) * sigmoid(2), sigmoid(-1) * sigmoid(0.5)];
  assert.ok(Math.abs(10 ** kept[0] - Math.hypot(3 * product[0], 4 * product[1]) / 5) < 1e-6);
});

test("no underflow over thousands of steps", () => {
  const { kept } = road(new Float32Array(2000).fill(-5), [0], Float32Array.from([0]));
  assert.ok(Math.abs(kept[0] + 1999 * Math.log10(1 + Math.exp(5))) < 1e-6);
});

test("the bias that is found leaves about that much", () => {
  const drive = Float32Array.from({ length: 400 }, (_, k) => Math.sin(k));
  const asks = Float32Array.from([0, -1]);
  for (const bias of [-2, 0, 3.3, 7]) {
    const { kept } = road(drive, [bias, bias], asks);
    assert.ok(Math.abs(biasFor(drive, asks, kept[0], [-4, 10]) - bias) < 0.11);
  }
  assert.ok(biasFor(drive, asks, 5, [-4, 10]) > 9.8);
});

test("what is left is said as Python says it", () => {
  const said = { 0: "100%", [Math.log10(0.13)]: "13%", [-Math.log10(9300)]: "1/9,300", "-44.2": "10⁻⁴⁴", "-2": "1.0%" };
  for (const [log, text] of Object.entries(said)) assert.equal(left(+log), text);
  assert.equal(raised(0), "1");
  assert.equal(raised(-12), "10⁻¹²");
});
