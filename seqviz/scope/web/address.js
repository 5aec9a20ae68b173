// The address says what is on the screen: the experiment in the query, the view of it after the #. It is replaced,
// never pushed, so that Back leaves the page instead of walking through every edit.

/** The view that the address asks for. */
export const viewOf = () => new URLSearchParams(location.hash.slice(1));
export const lecture = () => new URLSearchParams(location.search).get("lecture") === "true";
export const whole = () => location.href;

/**
 * @param {string} query
 * @param {URLSearchParams} view
 */
export function writeAddress(query, view) {
  const search = new URLSearchParams(location.search);
  for (const name of ["e", "b", "layer", "loss", "net", "more", "input", "minus", "nudge"]) search.delete(name);
  for (const [name, value] of new URLSearchParams(query)) search.set(name, value);
  const [text, hash] = [search.toString(), view.toString()];
  const address = `${location.pathname}${text ? `?${text}` : ""}${hash ? `#${hash}` : ""}`;
  if (address !== `${location.pathname}${location.search}${location.hash}`)
    history.replaceState(history.state, "", address);
}

// --- a view in words, for a panel over time -------------------------------------------------------------

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
