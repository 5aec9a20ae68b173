// What is marked in the scope: the chosen unit in every row, and what the person holds or has changed.

import { dress, el } from "./dom.js";
import { span } from "./forward.js";
import { tr } from "./language.js";

/** @import { LitRow, Rule, ScopeHeader, ScopeRow } from "./headers.js" */
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
      dress(mark, `top:${top}px;height:${Math.max(2, each)}px;left:${margin.left - 4}px`);
    });
    for (const mark of this.marks.slice(used)) dress(mark, "display:none");
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
/** @type {(rule: Rule, row: ScopeRow, place: Span, state: ScopeState) => Mark[]} */
function ofRule(rule, row, place, state) {
  const [from, to] = span(rule.steps, state.L);
  const spots = spotsOf(rule.units, row, place, state);
  return spots.map((spot) => outline({ from, to, place: spot }, rule.says, "sv-rule"));
}

// Where some units lie in a row: a line each, or the row where that does not tell them apart.
/** @type {(units: readonly number[] | null, row: ScopeRow, place: Span, state: ScopeState) => Span[]} */
function spotsOf(units, row, place, { order, folded, hidden }) {
  if (!units || !lined(row) || folded.has(row.signal)) return [place];
  const each = place.height / hidden;
  return units.map((u) => ({ top: place.top + each * order.indexOf(u), height: Math.max(3, each) }));
}

// A finding in a row: its frames, the first of them with its mark.
/** @type {(lit: LitRow, row: ScopeRow, place: Span, state: ScopeState) => Mark[]} */
function ofLit(lit, row, place, state) {
  const marks = spotsOf(lit.units, row, place, state).map((spot) =>
    outline({ from: 0, to: state.L, place: spot }, lit.says, "sv-finding"),
  );
  marks[0]?.append(el("b", { text: lit.mark }));
  return marks;
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
    const lit = (header.lit ?? []).filter(({ signal }) => signal === name);
    return [
      ...edits,
      ...rules.flatMap((rule) => ofRule(rule, row, places[k], state)),
      ...lit.flatMap((each) => ofLit(each, row, places[k], state)),
    ];
  });
}
