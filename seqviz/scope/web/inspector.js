// The arithmetic of one step and one unit: previous beside present, and the equations with their numbers.

import { el, typeset } from "./dom.js";
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
    this.title.textContent = tr("Step {step} of {last}{label} · unit {unit}", { step, last: steps - 1, label, unit });
    /** @type {Record<string, string>} */
    const v = {};
    for (const [signal, [before, now, old]] of this.cells) {
      const [a, b] = [read(signal, step - 1, unit), read(signal, step, unit)];
      const state = description.states.includes(signal);
      before.textContent = a === undefined ? (state ? number(0) : "–") : number(a);
      now.firstChild.textContent = (quantised ? "≈ " : "") + number(b);
      const previous = was?.(signal, step, unit);
      old.textContent = previous === undefined ? "" : number(previous);
      v[signal] = number(b);
      v[`${signal}_`] = number(a ?? 0);
    }
    const states = equationsOf(description).filter(({ value }) => description.states.includes(value));
    this.equations.replaceChildren(...states.map((line) => this.equation(line, v, held(line.value))));
    const x = read("x", step, feature);
    this.inputLabel.hidden = x === undefined;
    this.inputLabel.firstChild.textContent = tr("input {x}", {
      x: names?.[feature] ?? (feature ? `x[${feature}]` : "x"),
    });
    if (document.activeElement !== this.input) this.input.value = x === undefined ? "" : `${+x.toFixed(4)}`;
    this.input.dataset.now = x === undefined ? "" : `${+x.toFixed(4)}`;
    this.input.disabled = !editable;
  }

  // A state's equation with the numbers of the table, where it has no others. rule: in whose words it is held.
  /** @type {(line: Equation, v: Record<string, string>, rule: string) => HTMLElement} */
  equation({ value, law, weighed }, v, rule) {
    const sign = rule ? "≠" : "=";
    const numbers = weighed ? "" : ` = ${filled(law.slice(1), v).replace(/^ = /, "")}`;
    return el(
      "p",
      { title: rule },
      el("span", { class: "sv-law" }, ...typeset(short(spelt(law)))),
      el("span", { class: "sv-sum", text: `${numbers} ${sign} ` }),
      el("b", { style: `color: var(--sv-hue-${value})`, text: v[value] }),
      ...(rule ? [el("span", { class: "sv-held", text: ` (${rule})` })] : []),
    );
  }
}
