// Rows on a shared time axis, as Plotly's layout: how they are stacked, and what every axis has. Each figure adds its
// own.

import { clamp } from "./numbers.js";

/** @import { Theme } from "./theme.js" */
/** @import { Margin, Span, TimedState } from "./types.js" */

const NARROW = 560; // px; below, headings stand above their rows and not beside them
const TICKS = 34; // px for the numbers of the units
const FOOT = 18; // px below the rows, beside the letters of the axis
const LARGE = 16; // px; larger letters are a lecture's

// The room around the rows: a column of headings at the left, at the right one of scales and values; in a narrow
// picture headings stand above. `side`: how much the right column takes.
/** @type {(width: number, letters: number, side?: number) => Margin} */
export function marginOf(width, letters, side = 96) {
  const bottom = FOOT + letters;
  if (width < NARROW) return { left: TICKS, right: 8, top: 4, bottom, heading: 26, gap: 2, column: 0 };
  const large = letters > LARGE;
  const column = large ? (width < 760 ? 200 : width < 1100 ? 262 : 300) : width > 1300 ? 280 : width < 800 ? 170 : 222;
  const right = side && Math.round(side * (large ? 1.25 : 1));
  return { left: column + TICKS, right: right || 16, top: 4, bottom, heading: 0, gap: large ? 10 : 12, column };
}

// Pixel tops and heights of each row's plot area, and the whole height.
/**
 * @template R
 * @param {R[]} rows
 * @param {(row: R) => number} tall
 * @param {Margin} margin
 * @param {(row: R) => number} [more] what a heading above its row needs beside its first line
 * @returns {{places: Span[], height: number}}
 */
export function stacked(rows, tall, { top, bottom, heading, gap }, more = () => 0) {
  let y = top;
  const places = rows.map((row) => {
    const head = heading && heading + more(row);
    const place = { top: y + head, height: tall(row), head };
    y = place.top + place.height + gap;
    return place;
  });
  return { places, height: y + bottom };
}

// How tall each row is, so that all of them take the room there is: each its share, by its usual height, within what
// can be read and what is not blown up. What is `fixed` keeps its height, and no row is lower than what stands beside
// it `needs`.
/**
 * @template R
 * @typedef {object} Heights
 * @property {(row: R) => number} usual
 * @property {(row: R) => boolean} fixed
 * @property {number} least
 * @property {number} most
 * @property {(row: R) => number} [needs]
 */
/**
 * @template R
 * @param {R[]} rows
 * @param {Heights<R>} how
 * @param {number | undefined} room the height of the picture, where that is given
 * @param {Margin} margin
 * @returns {(row: R) => number}
 */
export function fitted(rows, { usual, fixed, least, most, needs = () => 0 }, room, margin) {
  if (room === undefined) return usual;
  const free = room - margin.top - margin.bottom - rows.length * (margin.heading + margin.gap);
  const [shared, kept] = [new Set(rows.filter((row) => !fixed(row))), new Set(rows.filter(fixed))];
  const sum = (some, tall) => [...some].reduce((total, row) => total + tall(row), 0);
  const own = (row) => (fixed(row) ? usual(row) : needs(row));
  const shareNow = () => clamp((free - sum(kept, own)) / (sum(shared, usual) || 1), least, most);
  let share = shareNow();
  for (let low = null; !low || low.length; share = shareNow()) {
    low = [...shared].filter((row) => share * usual(row) < needs(row));
    for (const row of low) (shared.delete(row), kept.add(row));
  }
  return (row) => (fixed(row) ? usual(row) : Math.floor(Math.max(share * usual(row), needs(row))));
}

const EM = { name: 16, note: 14, line: 19 }; // px, in a narrow picture
const VALUE = 76; // px at the end of the first line
/** @type {(text: string) => number} about how wide a text is, in its letters' size */
const wide = (text) => [...text].reduce((sum, letter) => sum + (letter > "\u2e80" ? 1 : 0.5), 0);

// In a narrow picture a note stands beside the name above its row, or, where it has no room there, under it in as many
// lines as it needs: so much taller is that heading.
/** @type {(width: number) => (row: {symbol: string, name: string, note?: string, says?: string}) => number} */
export const roomOfNote = (width) => {
  if (width >= NARROW) return () => 0;
  return (row) => {
    const { symbol, name } = row;
    const note = EM.note * wide(row.note ?? row.says ?? "");
    const free = width - EM.name * wide(`${symbol} ${name}`) - VALUE - 20;
    return note <= free ? 0 : EM.line * Math.ceil((1.05 * note) / (width - 16));
  };
};

/** @type {(text: string, size: number, free: number) => number} about how many lines a text takes */
export const lines = (text, size, free) => Math.ceil((1.05 * size * wide(text)) / free);

// How many lines a row's name takes beside it, of `letters` size in the column of headings.
/** @type {(row: {symbol: string, name: string}, column: number, letters: number) => number} */
export const namedIn = ({ symbol, name }, column, letters) =>
  Math.max(1, lines(name, 1.15 * letters, column - 1.15 * letters * wide(symbol) - 16));

// How tall a row is beside which its name and all of its note stand.
/** @type {(row: import("./types.js").TimedRow, column: number, letters: number) => number} */
export function roomBeside(row, column, letters) {
  const told = lines(row.note ?? row.says ?? "", letters, column - 8);
  return 1.6 * letters * namedIn(row, column, letters) + 1.3 * letters * told;
}

// The part of Plotly's paper that a row takes.
/** @type {(place: Span, height: number, margin: Margin) => number[]} */
export function domain({ top, height: tall }, height, margin) {
  const inner = height - margin.top - margin.bottom;
  return [1 - (top + tall - margin.top) / inner, 1 - (top - margin.top) / inner].map((v) => clamp(v, 0, 1));
}

/** @type {(tall: number, letters: number) => number} how many marks a row's axis of values has room for, at most */
export const valueTicks = (tall, letters) => clamp(Math.floor(tall / (1.2 * letters)), 1, 4);

/** @type {(k: number) => string} what Plotly calls the k-th axis: y, y2, y3 */
export const axisOf = (k) => `y${k ? k + 1 : ""}`;
/** @type {(k: number) => string} its name in the layout */
export const layoutOf = (k) => `yaxis${k ? k + 1 : ""}`;

// The layout of any rows over time, but for its axes.
/** @type {(theme: Theme, width: number, height: number, margin: Margin) => object} */
export const sheet = (theme, width, height, margin) => ({
  width,
  height,
  margin: { l: margin.left, r: margin.right, t: margin.top, b: margin.bottom },
  paper_bgcolor: "rgba(0,0,0,0)",
  plot_bgcolor: theme.well,
  font: { family: theme.font, color: theme.quiet, size: theme.label },
  showlegend: false,
  hovermode: false,
  shapes: [],
  annotations: [],
});

// The time axis, under the last of so many rows.
/** @type {(state: TimedState, theme: Theme, rows: number) => object} */
export const timeAxis = (state, theme, rows) => ({
  anchor: axisOf(rows - 1),
  range: state.zoom ?? [-0.5, state.L - 0.5],
  showgrid: false,
  zeroline: false,
  ticks: "outside",
  ticklen: 3,
  tickcolor: theme.rule,
  tickfont: { color: theme.quiet, size: theme.label },
});

// What the axis of time and the hand need, where a person can zoom in time.
/** @type {(state: TimedState) => object} */
export const zooming = ({ coarse, L }) => ({ dragmode: coarse ? false : "zoom", uirevision: `${L}` });

// Marks at whole steps, as many as there is room for: a number takes its digits and the room of two more.
/** @type {(state: TimedState, width: number, margin: Margin) => object} */
export function stepTicks({ L, narrow }, width, margin) {
  const digit = 0.6 * (margin.bottom - FOOT);
  const most = Math.floor((width - margin.left - margin.right) / (digit * (`${L}`.length + 2)));
  return { tickformat: "d", ...(L <= Math.min(16, most) ? { dtick: 1 } : { nticks: clamp(most, 2, narrow ? 6 : 14) }) };
}

// A zoom from an address, or from a longer sequence, keeps what there is of it.
/** @type {(zoom: number[] | null, steps: number) => number[] | null} */
export function zoomWithin(zoom, steps) {
  const [from, to] = zoom ?? [];
  const [low, high] = [Math.max(from, -0.5), Math.min(to, steps - 0.5)];
  return high - low >= 1 && high - low < steps ? [low, high] : null;
}
