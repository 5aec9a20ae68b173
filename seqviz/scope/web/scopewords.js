// What the scope says in words: of the chosen step in one line, of what lies under the pointer, and of itself in a
// file.

import { visible } from "./dom.js";
import { later, tr } from "./language.js";
import { number } from "./numbers.js";
import { addressed } from "./poster.js";
import { featureName, rangeText, stepLabel } from "./rows.js";

/** @import { ScopeHeader, ScopeRow } from "./headers.js" */
/** @import { Numbers, Place, ScopeState, TipContent } from "./types.js" */

// Every row's number at a step, of one unit.
/**
 * @param {ScopeRow[]} rows
 * @param {Numbers} shown
 * @param {ScopeState} state
 * @param {number} step
 * @param {number} unit
 */
export function worths(rows, shown, state, step, unit) {
  const signed = (v) => (state.view === "difference" && v > 0 ? "+" : "") + number(v, 2);
  return rows.map(({ signal, kind, width }) => {
    const line = shown[signal];
    if (kind === "gate" || kind === "state") return signed(line[step * state.hidden + unit]);
    if (kind === "onehot" && signal === "x" && state.labels) return `“${visible(state.labels[step])}”`;
    return signed(line[step * width + (signal === "x" && kind === "line" ? Math.min(state.feature, width - 1) : 0)]);
  });
}

const FEATURES = 6; // so many lines are drawn

/**
 * @param {Place<ScopeRow>} place
 * @param {Numbers} shown
 * @param {ScopeState} state
 * @returns {TipContent}
 */
export function tooltip({ row, step, unit }, shown, state) {
  const values = shown[row.signal];
  const named = `${step}${stepLabel(state, step)}`;
  /** @type {TipContent["lines"]} */
  const lines = [];
  if (unit !== undefined) {
    const at = (t) => number(values[t * state.hidden + unit], 4);
    if (step > 0) lines.push([tr("step {step}", { step: step - 1 }), at(step - 1)]);
    lines.push([tr("step {step}", { step: named }), at(step)]);
    return { title: tr("{row} · unit {unit}", { row: row.name, unit }), lines };
  }
  lines.push([tr("step"), named]);
  for (let f = 0; f < Math.min(row.width, FEATURES); f++)
    lines.push([featureName(state, row, f), number(values[step * row.width + f], 4)]);
  return { title: row.name, lines };
}

const TITLES = {
  now: "{title}",
  baseline: later("{title}: the baseline"),
  difference: later("{title}: difference, now minus baseline"),
};

// What a saved picture has to say of itself: which run it is, what is held, and where it can be found.
/**
 * @param {ScopeHeader} header
 * @param {Numbers} shown
 * @param {ScopeState} state
 * @param {string} address
 * @returns {import("./poster.js").Words}
 */
export const posterWords = (header, shown, state, address) => ({
  title: (state.view === "now" && header.headline) || tr(TITLES[state.view], { title: header.title }),
  notes: [
    state.view === "now" && header.headline ? header.title : "",
    ...(header.rules ?? []).map((rule) => rule.says),
    ...addressed(address),
  ].filter(Boolean),
  range: (row) => rangeText(row, shown[row.signal], state),
  ends: (row, { zmin, zmax }) => ({
    tickvals: row.kind === "gate" && state.view !== "difference" ? [0, 1] : [zmin, zmax],
    tickformat: ".2~g",
  }),
});
