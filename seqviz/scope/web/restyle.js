// New numbers in a scope's picture that is drawn already: what Plotly has to be told, and no more.

import { layoutOf } from "./axes.js";
import { colours, rowData, rowRange } from "./rows.js";

/** @import { ScopeRow } from "./headers.js" */
/** @import { Theme } from "./theme.js" */
/** @import { Built, Numbers, ScopeState } from "./types.js" */

// The picture that was built, brought up to date on the way. `whole`: its axes too.
/**
 * @param {Built} built
 * @param {ScopeRow[]} rows
 * @param {Numbers} shown
 * @param {ScopeState} state
 * @param {Theme} theme
 * @param {boolean} whole
 * @returns {{update: Record<string, any[]>, relayout: Record<string, any>, traces: number[]}}
 */
export function restyled(built, rows, shown, state, theme, whole) {
  /** @type {Record<string, any[]>} */
  const update = {};
  const relayout = {};
  let trace = 0;
  const set = (name, value) => {
    (update[name] ??= [])[trace] = value;
  };
  rows.forEach((row, k) => {
    const values = shown[row.signal];
    const data = rowData(row, values, state);
    const axis = built.layout[layoutOf(k)];
    const move = (name, value) => {
      if (`${axis[name]}` !== `${value}`) relayout[`${layoutOf(k)}.${name}`] = axis[name] = value;
    };
    if (data.lines) {
      for (const y of [...data.targets, ...data.lines]) {
        set("y", y);
        trace++;
      }
      if (whole && state.ranges[row.signal]) move("range", state.ranges[row.signal].slice());
      return;
    }
    const look = built.traces[trace];
    const [zmin, zmax] = rowRange(row, values, state);
    const colorscale = colours(row, values, state, theme);
    for (const [name, value] of Object.entries({ zmin, zmax, colorscale })) {
      if (`${look[name]}` !== `${value}`) set(name, (look[name] = value));
    }
    set("z", data.z);
    trace++;
    if (!whole || row.kind === "onehot" || state.folded.has(row.signal)) return;
    const ticktext = built.units[k].map((m) => `${state.order[m]}`);
    move("ticktext", ticktext);
  });
  for (const list of Object.values(update)) list.length = trace;
  return { update, relayout, traces: [...Array(trace).keys()] };
}
