// The heading of a row: its symbol and name, a button that folds it, and in words what it shows.

import { lines as linesOf, namedIn } from "./axes.js";
import { el } from "./dom.js";
import { tr } from "./language.js";
import { clamp } from "./numbers.js";

/** @import { TimedRow } from "./types.js" */

// A symbol of more characters has a line to itself: a cell's name may be any.
const LONG = 8;
const STAGE = 16; // px of letters; larger ones are a lecture's

/**
 * @typedef {object} How
 * @property {number} top
 * @property {number} height
 * @property {number} head how tall it is, where it stands above its row
 * @property {boolean} below whether what it says stands under the name
 * @property {boolean} shut it is folded now
 * @property {() => void} fold
 * @property {string} says
 * @property {number} lines so many of what it says have room
 */

// The height of a line of a row's name and of its note, in letters; how many lines there are of each at most.
const [NAME, NAMES, LINE, MOST] = [1.6, 3, 1.3, 5];

// Where row k of a picture has its heading, and how many lines of its note have room under its name.
/**
 * @param {{places: any[], margin: any}} built
 * @param {number} k
 * @param {number} letters the height of a note's
 * @param {number} [names] lines of its name
 * @returns {Pick<How, "top" | "height" | "head" | "below" | "lines">}
 */
export function placeOf({ places, margin }, k, letters, names = 1) {
  const { top, height, head = 0 } = places[k];
  const free = height - NAME * letters * Math.min(names, NAMES);
  const lines = margin.column ? clamp(Math.floor(free / (LINE * letters)), 0, MOST) : 1;
  return { top: top - head, height, head, below: head > margin.heading, lines };
}

const [SENTENCES, CLAUSES, END] = [/(?<=[.;] |[。；])/u, /(?<=, |，)/u, /[;；,，]?\s*$/u];

// As much of a note as has room in so many lines, whole sentences or else clauses: nobody in a lecture can hover over
// what was cut.
/** @type {(says: string, lines: number, column: number, letters: number) => string} */
export function whole(says, lines, column, letters) {
  const first = (parts) => {
    let count = parts.length;
    const text = () => parts.slice(0, count).join("");
    while (count && linesOf(text(), letters, column - 8) > lines) count--;
    return text().replace(END, "");
  };
  const sentences = says.split(SENTENCES);
  return first(sentences) || first(sentences[0].split(CLAUSES));
}

// The heading of row k of a picture over time, which folds the row.
/**
 * @param {import("./timeline.js").Timeline<any, any, any>} of
 * @param {TimedRow} row
 * @param {number} k
 * @param {Node[]} more
 */
export function folding(of, row, k, ...more) {
  const { folded } = of.state;
  const shut = folded.has(row.signal);
  const fold = () => {
    if (shut) folded.delete(row.signal);
    else folded.add(row.signal);
    of.viewChanged();
    of.draw(true);
  };
  const says = of.sayings === false ? "" : (row.note ?? row.says ?? "");
  const { built } = of.area;
  const { column } = built.margin;
  const { label } = of.theme;
  const place = placeOf(built, k, label, column ? namedIn(row, column, label) : 1);
  const told = label > STAGE && column ? whole(says, place.lines, column, label) : says;
  return heading(row, { ...place, shut, fold, says: told }, ...more);
}

/**
 * @param {TimedRow} row
 * @param {How} how
 * @param {Node[]} more
 */
export function heading(row, { top, height, head, below, shut, fold, says, lines }, ...more) {
  return el(
    "div",
    { class: "sv-head", style: `top:${top}px;--sv-row:${height}px;--sv-head:${head}px` },
    el(
      "button",
      {
        type: "button",
        class: row.symbol.length > LONG ? "sv-fold sv-long" : "sv-fold",
        "data-signal": row.signal,
        "aria-expanded": `${!shut}`,
        title: shut ? tr("Unfold {row}", { row: row.name }) : tr("Fold {row}", { row: row.name }),
        onclick: fold,
      },
      el("span", { class: "sv-caret", text: shut ? "▸" : "▾" }),
      el("b", { class: "sv-symbol", style: `color: var(--sv-hue-${row.hue ?? row.signal})`, text: row.symbol }),
      el("span", { class: "sv-name", text: row.name }),
    ),
    ...more,
    el("span", {
      class: below ? "sv-says sv-below" : "sv-says",
      text: says,
      title: row.says ?? "",
      hidden: !lines,
      style: `-webkit-line-clamp: ${lines || 1}`,
    }),
  );
}
