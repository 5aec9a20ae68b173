// The scope's view of a run as an address has it: which step and unit, in which order, which run, what is folded.

import { cursorOf, foldsOf, writeFolds } from "./places.js";
import { ORDERS, VIEWS } from "./scopebar.js";

/** @import { ScopeRow } from "./headers.js" */
/** @import { Numbers, ScopeState } from "./types.js" */

/** @param {URLSearchParams} view */
export function readView(view) {
  const known = (options, name) =>
    options.some(([value]) => value === view.get(name)) ? view.get(name) : options[0][0];
  return {
    ...cursorOf(view),
    ...foldsOf(view),
    sort: known(ORDERS, "by"),
    view: known(VIEWS, "run"),
    open: view.get("cell") === "open",
  };
}

/**
 * @param {ScopeState} state
 * @param {ScopeRow[]} rows
 */
export function writtenView(state, rows) {
  const view = new URLSearchParams();
  if (state.step) view.set("step", `${state.step}`);
  if (state.unit) view.set("unit", `${state.unit}`);
  if (state.sort !== "index") view.set("by", state.sort);
  if (state.view !== "now") view.set("run", state.view);
  if (state.open) view.set("cell", "open");
  writeFolds(view, rows, state);
  return view;
}

// A run minus another, signal by signal; 0 where the other has no such numbers.
/**
 * @param {Numbers} now
 * @param {Numbers} before
 * @returns {Numbers}
 */
export const difference = (now, before) =>
  Object.fromEntries(
    Object.entries(now).map(([name, values]) => {
      const old = before[name];
      return [name, old?.length === values.length ? values.map((v, k) => v - old[k]) : values.map(() => 0)];
    }),
  );
