// The scope's legend: the scales of its colours, and what is marked in it.

import { tr } from "./language.js";
import { markNote, scaleKey, wordNote } from "./legends.js";
import { beyond } from "./rows.js";

/** @import { ScopeHeader, ScopeRow } from "./headers.js" */
/** @import { Theme } from "./theme.js" */
/** @import { Numbers, ScopeState } from "./types.js" */

/** @type {(theme: Theme, rows: ScopeRow[]) => HTMLElement[]} */
function scales(theme, rows) {
  const gates = rows
    .filter((row) => row.kind === "gate")
    .map((row) => {
      const says = tr("{gate}: 0 {closed}, 1 {open}", { gate: row.name, closed: row.closed, open: row.open });
      return scaleKey(theme.sequential[row.signal], `${row.symbol} 0`, "1", says);
    });
  const states = tr("Candidates and states: negative blue, 0 the background, positive orange");
  return [...gates, scaleKey(theme.diverging, tr("states −"), "+", states)];
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
  const items = differs ? [scaleKey(theme.diverging, tr("less than baseline"), tr("more"), says)] : scales(theme, rows);
  items.push(markNote("sv-dash", tr("chosen step")), wordNote(tr("one line of a heatmap: one unit")));
  if (!differs && rows.some((row) => beyond(row, shown[row.signal]))) {
    const outside = tr("outside 0 to 1: no gate could be there by itself");
    items.push(markNote("sv-swatch", outside, "background:var(--sv-changed)"));
  }
  if (rows.some((row) => row.target)) items.push(markNote("sv-ring", tr("right answer")));
  if (header.edited?.length || header.rules?.length) items.push(markNote("sv-edit-mark", tr("changed by you")));
  return items;
}
