// One message is a length, a JSON header padded to four bytes, and the arrays end to end.
// It reaches the browser as an unaligned Uint8Array, so it is copied before it is viewed.

/** @import { Packed } from "./headers.js" */
/** @typedef {{shape: number[], values: Float32Array, exact: boolean}} Sent an array as it arrived */
/**
 * @template H
 * @typedef {{header: H & Packed, arrays: Record<string, Sent>}} Message
 */

/**
 * @param {Uint8Array} message
 * @returns {Message<any>}
 */
export function unpack(message) {
  const buffer = message.slice().buffer;
  const headerBytes = new DataView(buffer).getUint32(0, true);
  /** @type {Packed} */
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headerBytes)));
  /** @type {Record<string, Sent>} */
  const arrays = {};
  const start = 4 + headerBytes;
  for (const { name, shape, type, offset, low, high } of header.arrays) {
    const size = shape.reduce((a, b) => a * b, 1);
    let values;
    if (type === "u2") {
      const codes = new Uint16Array(buffer, start + offset, size);
      const step = (high - low) / 65535;
      values = new Float32Array(size);
      for (let k = 0; k < size; k++) values[k] = low + codes[k] * step;
    } else {
      values = new Float32Array(buffer, start + offset, size);
    }
    arrays[name] = { shape, values, exact: type !== "u2" };
  }
  return { header, arrays };
}
