// A colour scale of Plotly's as 256 pixels.

import { el } from "./dom.js";
import { clamp } from "./numbers.js";

const SHADES = 256;
/** @type {Map<string, Uint8ClampedArray>} */
const known = new Map();

/** @type {(scale: [number, string][]) => Uint8ClampedArray} four bytes a shade */
function pixels(scale) {
  const pen = el("canvas", { width: SHADES, height: 1 }).getContext("2d", { willReadFrequently: true });
  const ramp = pen.createLinearGradient(0, 0, SHADES, 0);
  for (const [at, color] of scale) ramp.addColorStop(at, color);
  pen.fillStyle = ramp;
  pen.fillRect(0, 0, SHADES, 1);
  return pen.getImageData(0, 0, SHADES, 1).data;
}

// The four bytes of the colour at a share of a scale.
/** @type {(scale: [number, string][]) => (share: number) => Uint8ClampedArray} */
export function shadesOf(scale) {
  const key = JSON.stringify(scale);
  if (!known.has(key)) known.set(key, pixels(scale));
  const shades = known.get(key);
  return (share) => {
    const at = 4 * clamp(Math.round(share * (SHADES - 1)), 0, SHADES - 1);
    return shades.subarray(at, at + 4);
  };
}
