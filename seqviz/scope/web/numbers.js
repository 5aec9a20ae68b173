// Numbers as people read them, and the little arithmetic that every picture needs. Nothing here needs a page.

/** @type {(v: number, low: number, high: number) => number} */
export const clamp = (v, low, high) => Math.min(high, Math.max(low, v));

// A number for people: a minus instead of a hyphen, and none before what rounds to 0.
export const number = (v, digits = 3) => {
  if (Number.isNaN(v)) return "NaN";
  const size = Math.abs(v);
  const text = size === Infinity ? "∞" : size >= 1e4 ? size.toExponential(2) : size.toFixed(digits);
  return (v < 0 && +text !== 0 ? "−" : "") + text;
};

// A number given by its log10, which may lie far outside what a double holds.
export function power(v) {
  if (v === -Infinity) return "0";
  if (!Number.isFinite(v)) return "–";
  const plain = (10 ** v).toPrecision(3);
  if (Math.abs(v) < 3 && !plain.includes("e")) return plain;
  let exponent = Math.floor(v);
  let mantissa = (10 ** (v - exponent)).toFixed(1);
  if (mantissa === "10.0") [exponent, mantissa] = [exponent + 1, "1.0"];
  const raised = `${exponent}`.replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[+c]));
  return mantissa === "1.0" ? `10${raised}` : `${mantissa}×10${raised}`;
}

const DECADES = 0.6; // a logarithmic axis spans a factor of four at least, so that rest is drawn as rest

// The range of a logarithmic axis, in decades: all values and marks, downwards where they are too close together.
export function decades(values) {
  const logs = values.filter((v) => v > 0 && v < Infinity).map(Math.log10);
  if (!logs.length) return [-1, 0];
  const high = Math.max(...logs);
  const low = Math.min(...logs, high - DECADES);
  const pad = 0.06 * (high - low);
  return [low - pad, high + pad];
}

// The largest finite size among some values.
/** @param {ArrayLike<number>} values */
export function largest(values) {
  let most = 0;
  for (let k = 0; k < values.length; k++) {
    const size = Math.abs(values[k]);
    if (size > most && size < Infinity) most = size;
  }
  return most;
}

// The same number in a picture of many: "a" and "b" hold equal values, up to `slack` of their size.
export function alike(a, b, slack = 0) {
  if (!a || !b || a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (!(Math.abs(a[k] - b[k]) <= slack * (1 + Math.abs(b[k])))) return false;
  return true;
}
