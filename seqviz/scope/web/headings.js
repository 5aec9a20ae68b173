// The heading of a row: its symbol and name, a button that folds it, and in words what it shows.

import { el } from "./dom.js";
import { tr } from "./language.js";

/** @import { TimedRow } from "./types.js" */

/**
 * @param {TimedRow} row
 * @param {{top: number, shut: boolean, fold: () => void, says: string}} how `shut`: it is folded now
 * @param {Node[]} more
 */
export function heading(row, { top, shut, fold, says }, ...more) {
  return el(
    "div",
    { class: "sv-head", style: `top:${top}px` },
    el(
      "button",
      {
        type: "button",
        class: "sv-fold",
        "data-signal": row.signal,
        "aria-expanded": `${!shut}`,
        title: shut ? tr("Unfold {row}", { row: row.name }) : tr("Fold {row}", { row: row.name }),
        onclick: fold,
      },
      el("span", { class: "sv-caret", text: shut ? "▸" : "▾" }),
      el("b", { class: "sv-symbol", style: `color: var(--sv-hue-${row.hue ?? row.signal})`, text: row.symbol }),
      el("span", { text: row.name }),
    ),
    ...more,
    el("span", { class: "sv-says", text: says, title: row.says ?? "" }),
  );
}
