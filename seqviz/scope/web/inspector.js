// The arithmetic of one step and one unit: previous beside present, and the equations with their numbers.

import { el, typeset, write } from "./dom.js";
import { tr } from "./language.js";
import { number } from "./numbers.js";
import { equationsOf, filled, short, spelt } from "./terms.js";

/** @import { ScopeRow } from "./headers.js" */
/** @import { Equation } from "./terms.js" */

export class Inspector {
  constructor(onInput, onCell) {
    this.onCell = onCell;
    this.title = el("h3", { class: "sv-why-title", "aria-live": "off" });
    this.body = el("tbody");
    this.equations = el("div", { class: "sv-equations" });
    this.input = el("input", {
      type: "number",
      step: "0.1",
      class: "sv-number",
      "aria-label": tr("Value of the input at this step"),
      onchange: () => {
        if (this.input.value !== "" && Number.isFinite(+this.input.value)) onInput(+this.input.value);
        else this.input.value = this.input.dataset.now;
      },
    });
    this.inputLabel = el(
      "label",
      { class: "sv-why-input" },
      el("span", { text: tr("input {x}", { x: "x" }) }),
      this.input,
    );
    this.root = el(
      "section",
      { class: "sv-why", "aria-label": tr("The arithmetic of the chosen step and unit") },
      el(
        "div",
        { class: "sv-why-head" },
        this.title,
        (this.open = el("button", {
          type: "button",
          class: "sv-button",
          text: tr("Inside the cell"),
          title: tr("This step and unit as a diagram, with every sum taken apart"),
          onclick: onCell,
        })),
        this.inputLabel,
      ),
      el(
        "div",
        { class: "sv-why-body" },
        el(
          "table",
          { class: "sv-table" },
          el(
            "thead",
            {},
            el(
              "tr",
              {},
              el("th", { text: tr("signal") }),
              el("th", { text: "t − 1" }),
              el("th", { text: "t" }),
              (this.was = el("th", { text: tr("baseline") })),
            ),
          ),
          this.body,
        ),
        this.equations,
      ),
    );
    this.cells = new Map();
    /** @type {ReturnType<Inspector["equation"]>[]} */
    this.lines = [];
    this.explained = null; // the cell whose equations they are
    this.built = ""; // what the table has been made for
  }

  // plain: a picture that no other page can open.
  /**
   * @param {ScopeRow[]} rows
   * @param {boolean} hasBaseline
   * @param {boolean} plain
   */
  build(rows, hasBaseline, plain) {
    const built = JSON.stringify([rows.map(({ signal, kind, symbol, name }) => [signal, kind, symbol, name]), plain]);
    this.open.hidden = plain;
    this.was.hidden = !hasBaseline;
    for (const [, , old] of this.cells.values()) old.hidden = !hasBaseline;
    if (built === this.built) return;
    this.built = built;
    this.body.replaceChildren();
    this.cells.clear();
    for (const row of rows) {
      if (row.kind !== "gate" && row.kind !== "state") continue;
      const opener = plain
        ? el("span")
        : el("button", {
            type: "button",
            class: "sv-value-button",
            title: tr("Show how this value comes about, inside the cell"),
            onclick: this.onCell,
          });
      const cells = [el("td"), el("td", {}, opener), el("td", { class: "sv-was" })];
      cells[2].hidden = !hasBaseline;
      this.cells.set(row.signal, cells);
      this.body.append(
        el(
          "tr",
          {},
          el(
            "th",
            { scope: "row" },
            el("b", { class: "sv-symbol", style: `color: var(--sv-hue-${row.signal})`, text: row.symbol }),
            ` ${row.name}`,
          ),
          ...cells,
        ),
      );
    }
  }

  // read(signal, step, unit) gives a number, or undefined before the first step.
  // held(signal) says by whose words a value is held by hand, so that it does not follow from the equation.
  show({ description, step, steps, unit, feature, label, names, read, was, held, editable, quantised }) {
    const title = tr("Step {step} of {last}{label} · unit {unit}", { step, last: steps - 1, label, unit });
    write(this.title, title);
    /** @type {Record<string, string>} */
    const v = {};
    for (const [signal, [before, now, old]] of this.cells) {
      const [a, b] = [read(signal, step - 1, unit), read(signal, step, unit)];
      const state = description.states.includes(signal);
      write(before, a === undefined ? (state ? number(0) : "–") : number(a));
      write(now.firstChild, (quantised ? "≈ " : "") + number(b));
      const previous = was?.(signal, step, unit);
      write(old, previous === undefined ? "" : number(previous));
      v[signal] = number(b);
      v[`${signal}_`] = number(a ?? 0);
    }
    this.explain(description);
    for (const line of this.lines) this.say(line, v, held(line.value));
    const x = read("x", step, feature);
    this.inputLabel.hidden = x === undefined;
    write(this.inputLabel.firstChild, tr("input {x}", { x: names?.[feature] ?? (feature ? `x[${feature}]` : "x") }));
    if (document.activeElement !== this.input) this.input.value = x === undefined ? "" : `${+x.toFixed(4)}`;
    this.input.dataset.now = x === undefined ? "" : `${+x.toFixed(4)}`;
    this.input.disabled = !editable;
  }

  // The states' equations, set once for a cell.
  explain(description) {
    if (description === this.explained) return;
    this.explained = description;
    const states = equationsOf(description).filter(({ value }) => description.states.includes(value));
    this.lines = states.map((line) => this.equation(line));
    this.equations.replaceChildren(...this.lines.map(({ root }) => root));
  }

  /** @param {Equation} line */
  equation(line) {
    const sum = el("span", { class: "sv-sum" });
    const worth = el("b", { style: `color: var(--sv-hue-${line.value})` });
    const note = el("span", { class: "sv-held" });
    const root = el("p", {}, el("span", { class: "sv-law" }, ...typeset(short(spelt(line.law)))), sum, worth);
    return { ...line, root, sum, worth, note };
  }

  // With the numbers of the table, where it has no others. rule: in whose words the state is held.
  /** @type {(line: ReturnType<Inspector["equation"]>, v: Record<string, string>, rule: string) => void} */
  say({ value, law, weighed, root, sum, worth, note }, v, rule) {
    const numbers = weighed ? "" : ` = ${filled(law.slice(1), v).replace(/^ = /, "")}`;
    write(sum, `${numbers} ${rule ? "≠" : "="} `);
    write(worth, v[value]);
    if (root.title === rule) return;
    root.title = rule;
    write(note, ` (${rule})`);
    if (rule) root.append(note);
    else note.remove();
  }
}
