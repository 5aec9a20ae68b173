// Where a person is, in the words of an address: a step, a unit, what is folded, what part of the time is looked at.

/** @import { TimedRow, TimedState } from "./types.js" */

// The step and unit of an address; `placed`: whether it names either.
/** @param {URLSearchParams} view */
export function cursorOf(view) {
  const count = (name) => (/^\d{1,5}$/.test(view.get(name) ?? "") ? +view.get(name) : null);
  const [step, unit] = [count("step"), count("unit")];
  return { placed: step !== null || unit !== null, step: step ?? 0, unit: unit ?? 0 };
}

// Which rows are folded, and what part of the time is looked at.
/** @param {URLSearchParams} view */
export function foldsOf(view) {
  const zoom = (view.get("zoom") ?? "").split("_").map(Number);
  return {
    folded: new Set((view.get("folded") ?? "").split("_").filter(Boolean)),
    zoom: zoom.length === 2 && zoom.every(Number.isFinite) && zoom[0] < zoom[1] ? zoom : null,
  };
}

/**
 * @param {URLSearchParams} view
 * @param {TimedRow[]} rows
 * @param {TimedState} state
 */
export function writeFolds(view, rows, { folded, zoom }) {
  const shut = rows.filter(({ signal }) => folded.has(signal)).map(({ signal }) => signal);
  if (shut.length) view.set("folded", shut.join("_"));
  if (zoom) view.set("zoom", zoom.map((v) => v.toFixed(1)).join("_"));
}
