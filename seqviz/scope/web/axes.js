// Rows on a shared time axis, as Plotly's layout: how they are stacked, and what every axis has. Each figure adds its
// own.

import { tr } from "./language.js";
import { clamp } from "./numbers.js";

/** @import { Theme } from "./theme.js" */
/** @import { Span, TimedState } from "./types.js" */

export const MARGIN = { left: 44, right: 12, top: 4, bottom: 36 };
const HEADING = 22;
const GAP = 4;

// Pixel tops and heights of each row's plot area, and the whole height.
/**
 * @template R
 * @param {R[]} rows
 * @param {(row: R) => number} tall
 * @returns {{places: Span[], height: number}}
 */
export function stacked(rows, tall) {
  let y = MARGIN.top;
  const places = rows.map((row) => {
    const place = { top: y + HEADING, height: tall(row) };
    y = place.top + place.height + GAP;
    return place;
  });
  return { places, height: y + MARGIN.bottom };
}

// The part of Plotly's paper that a row takes.
/** @type {(place: Span, height: number) => number[]} */
export function domain({ top, height: tall }, height) {
  const inner = height - MARGIN.top - MARGIN.bottom;
  return [1 - (top + tall - MARGIN.top) / inner, 1 - (top - MARGIN.top) / inner].map((v) => clamp(v, 0, 1));
}

/** @type {(k: number) => string} what Plotly calls the k-th axis: y, y2, y3 */
export const axisOf = (k) => `y${k ? k + 1 : ""}`;
/** @type {(k: number) => string} its name in the layout */
export const layoutOf = (k) => `yaxis${k ? k + 1 : ""}`;

// The layout of any rows over time, but for its axes.
/** @type {(theme: Theme, width: number, height: number) => object} */
export const sheet = (theme, width, height) => ({
  width,
  height,
  margin: { l: MARGIN.left, r: MARGIN.right, t: MARGIN.top, b: MARGIN.bottom },
  paper_bgcolor: "rgba(0,0,0,0)",
  plot_bgcolor: theme.well,
  font: { family: theme.font, color: theme.quiet, size: theme.label },
  showlegend: false,
  hovermode: false,
  shapes: [],
  annotations: [],
});

// The time axis, under the last of so many rows.
/** @type {(state: TimedState, theme: Theme, rows: number, title?: string) => object} */
export const timeAxis = (state, theme, rows, title = tr("step t")) => ({
  anchor: axisOf(rows - 1),
  range: state.zoom ?? [-0.5, state.L - 0.5],
  title: { text: title, standoff: 4, font: { size: theme.label } },
  showgrid: false,
  zeroline: false,
  ticks: "outside",
  ticklen: 3,
  tickcolor: theme.rule,
  tickfont: { family: theme.mono, color: theme.quiet, size: theme.label },
});

// What the axis of time and the hand need, where a person can zoom in time.
/** @type {(state: TimedState) => object} */
export const zooming = ({ coarse, L }) => ({ dragmode: coarse ? false : "zoom", uirevision: `${L}` });

// Marks at whole steps, as many as there is room for.
/** @type {(state: TimedState) => object} */
export const stepTicks = ({ L, narrow }) => ({
  tickformat: "d",
  ...(L <= 16 ? { dtick: 1 } : { nticks: narrow ? 6 : 14 }),
});

// A zoom from an address, or from a longer sequence, keeps what there is of it.
/** @type {(zoom: number[] | null, steps: number) => number[] | null} */
export function zoomWithin(zoom, steps) {
  const [from, to] = zoom ?? [];
  const [low, high] = [Math.max(from, -0.5), Math.min(to, steps - 0.5)];
  return high - low >= 1 && high - low < steps ? [low, high] : null;
}
