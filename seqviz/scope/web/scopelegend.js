// The scope's legend: the scales of its colours, and what is marked in it.

import { tr } from "./language.js";
import { markNote, scaleKey } from "./legends.js";
import { beyond, colours, rowRange } from "./rows.js";

/** @import { ScopeHeader, ScopeRow } from "./headers.js" */
/** @import { Theme } from "./theme.js" */
/** @import { Numbers, ScopeState } from "./types.js" */

// The right end of a row: the scale of its colours with its ends, and the hue of its value.
/** @type {(row: ScopeRow, values: Float32Array, state: ScopeState, theme: Theme) => import("./ends.js").End} */
export function endOf(row, values, state, theme) {
  const hue = `var(--sv-hue-${row.signal})`;
  if (row.kind !== "gate" && row.kind !== "state") return { hue };
  const [low, high] = rowRange(row, values, state);
  const scale = colours(row, values, state, theme);
  const gate = row.kind === "gate" && state.view !== "difference";
  const short = (v) => `${v > 0 && !gate ? "+" : ""}${+v.toPrecision(2)}`.replace("-", "−");
  const title = gate
    ? tr("{gate}: 0 {closed}, 1 {open}", { gate: row.name, closed: row.closed, open: row.open })
    : tr("Candidates and states: negative graphite, 0 the background, positive orange");
  return { hue, scale, low: short(low), high: short(high), title };
}

/**
 * @param {ScopeHeader} header
 * @param {ScopeRow[]} rows
 * @param {Numbers} shown
 * @param {ScopeState} state
 * @param {Theme} theme
 * @returns {HTMLElement[]}
 */
export function scopeLegend(header, rows, shown, state, theme) {
  const differs = state.view === "difference";
  const says = tr("Difference: now minus baseline; each row has its own range");
  const items = differs ? [scaleKey(theme.diverging, tr("less than baseline"), tr("more"), says)] : [];
  if (!differs && rows.some((row) => beyond(row, shown[row.signal]))) {
    const outside = tr("outside 0 to 1: no gate could be there by itself");
    items.push(markNote("sv-swatch", outside, "background:var(--sv-changed)"));
  }
  if (header.edited?.length || header.rules?.length) items.push(markNote("sv-edit-mark", tr("changed by you")));
  return items;
}
