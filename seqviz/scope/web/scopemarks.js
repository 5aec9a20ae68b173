// What is marked in the scope: the chosen unit in every row, and what the person holds or has changed.

import { el } from "./dom.js";
import { span } from "./forward.js";
import { tr } from "./language.js";

/** @import { Rule, ScopeHeader, ScopeRow } from "./headers.js" */
/** @import { Mark, ScopeState, Span } from "./types.js" */

const MOST = 200; // edited steps that are marked
const lined = (row) => row.kind === "gate" || row.kind === "state";

export class UnitMarks {
  /** @param {HTMLElement} plot what they lie in */
  constructor(plot) {
    this.plot = plot;
    /** @type {HTMLElement[]} */
    this.marks = [];
  }

  /**
   * @param {number} unit
   * @param {ScopeRow[]} rows
   * @param {import("./types.js").Built} built
   * @param {ScopeState} state
   */
  show(unit, rows, { places, margin }, { order, folded, hidden }) {
    const line = order.indexOf(unit);
    let used = 0;
    rows.forEach((row, k) => {
      if (!lined(row) || folded.has(row.signal)) return;
      const each = places[k].height / hidden;
      const mark = (this.marks[used++] ??= this.plot.appendChild(el("div", { class: "sv-unit" })));
      const top = places[k].top + each * line;
      mark.style.cssText = `top:${top}px;height:${Math.max(2, each)}px;left:${margin.left - 4}px`;
    });
    for (const mark of this.marks.slice(used)) mark.style.display = "none";
  }
}

/** @type {(region: Mark["region"], title: string, look: string) => Mark} */
function outline(region, title, look) {
  /** @type {Mark} */
  const mark = el("div", { class: `sv-mark ${look}`, title });
  mark.region = region;
  return mark;
}

// The marks of one rule in one row: the whole row, or a line a unit.
/**
 * @param {Rule} rule
 * @param {ScopeRow} row
 * @param {Span} place
 * @param {ScopeState} state
 */
function ofRule(rule, row, place, { L, order, folded, hidden }) {
  const [from, to] = span(rule.steps, L);
  const each = place.height / (lined(row) ? hidden : 1);
  const whole = !rule.units || row.kind === "line" || folded.has(row.signal);
  const spots = whole
    ? [place]
    : rule.units.map((u) => ({ top: place.top + each * order.indexOf(u), height: Math.max(3, each) }));
  return spots.map((spot) => outline({ from, to, place: spot }, rule.says, "sv-rule"));
}

/**
 * @param {ScopeHeader} header
 * @param {ScopeRow[]} rows
 * @param {Span[]} places
 * @param {ScopeState} state
 * @returns {Mark[]}
 */
export function changes(header, rows, places, state) {
  return rows.flatMap((row, k) => {
    const name = row.signal === "x" ? "x" : `l${header.layer}.${row.signal}`;
    const { top } = places[k];
    const drawn = row.kind === "line" && row.signal === "x" ? (header.edited ?? []).slice(0, MOST) : [];
    const edits = drawn.map(([step]) =>
      outline({ from: step, to: step + 1, place: { top, height: 3 } }, tr("changed by you"), "sv-edited"),
    );
    const rules = (header.rules ?? []).filter((rule) => rule.signal.replace(/_(pre|ih|hh)$/, "") === name);
    return [...edits, ...rules.flatMap((rule) => ofRule(rule, row, places[k], state))];
  });
}
