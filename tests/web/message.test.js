// The bytes that the server sends, and the order of what is drawn.

import assert from "node:assert/strict";
import test from "node:test";

import { unpack } from "../../seqviz/scope/web/bytes.js";
import { unitOrder } from "../../seqviz/scope/web/order.js";

// As seqviz.scope.pack writes them: a length, a JSON header padded to four bytes, and the arrays end to end.
function message(arrays, buffers) {
  let text = JSON.stringify({ panel: "scope", arrays });
  text += " ".repeat((4 - (new TextEncoder().encode(text).length % 4)) % 4);
  const head = new TextEncoder().encode(text);
  const bytes = new Uint8Array(1 + 4 + head.length + buffers.reduce((sum, b) => sum + b.byteLength, 0));
  new DataView(bytes.buffer).setUint32(1, head.length, true);
  bytes.set(head, 5);
  let at = 5 + head.length;
  for (const buffer of buffers) {
    bytes.set(new Uint8Array(buffer.buffer), at);
    at += buffer.byteLength;
  }
  return bytes.subarray(1); // not aligned, as it arrives
}

test("arrays come back as they were sent, from an unaligned message", () => {
  const f = Float32Array.of(1.5, -2, NaN, Infinity, 1e-45, 3);
  const { header, arrays } = unpack(message([{ name: "记忆门", shape: [3, 2], type: "f4", offset: 0 }], [f]));
  assert.equal(header.panel, "scope");
  assert.deepEqual(arrays["记忆门"].values, f);
  assert.deepEqual(arrays["记忆门"].shape, [3, 2]);
  assert.equal(arrays["记忆门"].exact, true);
});

test("16-bit codes are within half a code of what they stand for", () => {
  const [low, high] = [-3, 5];
  const codes = Uint16Array.of(0, 1, 32768, 65535);
  const { arrays } = unpack(message([{ name: "c", shape: [4, 1], type: "u2", offset: 0, low, high }], [codes]));
  const wanted = [...codes].map((code) => low + ((high - low) * code) / 65535);
  arrays.c.values.forEach((value, k) => assert.ok(Math.abs(value - wanted[k]) < 1e-6));
  assert.equal(arrays.c.exact, false);
});

test("units are drawn in their own order, by their mean, or beside those that move alike", () => {
  const [L, H] = [40, 4];
  const values = new Float32Array(L * H);
  for (let t = 0; t < L; t++) {
    values.set([Math.sin(t / 3), 2 + Math.cos(t / 3), 1 + Math.sin(t / 3) / 2, Math.cos(t / 3) - 1], t * H);
  }
  assert.deepEqual(unitOrder(values, L, H, "index"), [0, 1, 2, 3]);
  assert.deepEqual(unitOrder(values, L, H, "mean"), [1, 2, 0, 3]);
  const chain = unitOrder(values, L, H, "similar");
  assert.equal(Math.abs(chain.indexOf(0) - chain.indexOf(2)), 1);
  assert.equal(Math.abs(chain.indexOf(1) - chain.indexOf(3)), 1);
});
