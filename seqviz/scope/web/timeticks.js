// What the steps are called on the time axis of any picture: by their characters, by their names, by their numbers.

import { stepTicks } from "./axes.js";
import { visible } from "./dom.js";
import { clamp } from "./numbers.js";

/** @import { Margin, TimedState } from "./types.js" */

/** @type {(text: string) => string} Plotly reads a little HTML */
export const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

// Marks at steps that are called something (dates), as many as there is room for.
/**
 * @param {TimedState} state
 * @param {number} width
 * @param {Margin} margin
 */
function namedTicks({ L, marks, zoom }, width, margin) {
  const longest = Math.max(...marks.map((mark) => mark.length));
  const wide = 7.5 * longest;
  const aStep = Math.max(1, width - margin.left - margin.right) / (zoom ? zoom[1] - zoom[0] : L);
  const every = Math.max(1, Math.ceil((wide + 20) / aStep));
  const first = clamp(Math.ceil((wide / 2 - margin.left) / aStep), 0, L - 1);
  const last = L - 1 - Math.max(0, Math.ceil((wide / 2 - margin.right) / aStep));
  const tickvals = Array.from(
    { length: Math.max(1, Math.ceil((last - first + 1) / every)) },
    (_, k) => first + k * every,
  );
  return { tickmode: "array", tickvals, ticktext: tickvals.map((t) => plain(marks[t]) || `${t}`), tickangle: 0 };
}

// What stands under the time axis: a character or a name for every step that has one, else its number.
/**
 * @param {TimedState} state
 * @param {number} width
 * @param {Margin} margin
 */
export function timeTicks(state, width, margin) {
  const { labels, L, marks } = state;
  if (labels && L <= 96)
    return { tickmode: "array", tickvals: [...Array(L).keys()], ticktext: labels.map(visible), tickangle: 0 };
  return marks ? namedTicks(state, width, margin) : stepTicks(state, width, margin);
}
