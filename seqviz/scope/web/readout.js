// The curves by their strokes, each with its number at the cursor, and after a nudge with what is left of it.

import { el } from "./dom.js";
import { tr, trn } from "./language.js";
import { lineMark } from "./legends.js";
import { power } from "./numbers.js";

/** @import { FlowHeader } from "./headers.js" */
/** @import { Theme } from "./theme.js" */

// What is left of the largest value, by the log10 of the quotient.
function shareOf(log) {
  if (!(log <= 0)) return "";
  const percent = 100 * 10 ** log;
  return tr("{percent}% left", {
    percent: log === -Infinity ? "0" : percent < 0.01 ? "< 0.01" : +percent.toPrecision(2),
  });
}

export class Readout {
  constructor() {
    this.root = el("dl", { class: "sv-readout" });
    this.when = el("dd", { class: "sv-when" });
    /** @type {{values: Float32Array, most: number, worth: HTMLElement, left: HTMLElement, term: HTMLElement}[]} */
    this.numbers = [];
  }

  /**
   * @param {FlowHeader} header
   * @param {Record<string, Float32Array>} arrays
   * @param {Theme} theme
   */
  draw(header, arrays, theme) {
    const terms = header.curves
      .filter((curve) => curve.label)
      .map((curve) => {
        const values = arrays[curve.name];
        const [worth, left] = [el("dd"), el("dd", { class: "sv-left" })];
        const color = curve.line === null ? theme.quiet : theme.lines[curve.line];
        const dash = curve.dash ?? (curve.line === null ? "solid" : theme.dashes[curve.line]);
        const name = el("dt", {}, lineMark(color, curve.width ?? 2, dash), curve.label);
        const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
        return {
          values,
          most,
          worth,
          left,
          term: el("div", {}, name, worth, ...(header.nudge === undefined ? [] : [left])),
        };
      });
    this.numbers = terms;
    const measure = el("div", {}, el("dt", { text: header.measure ?? tr("norm") }), this.when);
    this.root.replaceChildren(measure, ...terms.map(({ term }) => term));
  }

  // nudge: the step from which on something is left, where there is one.
  /** @param {string} [label] what the step is called beside its number */
  show(step, nudge, secret, label = "") {
    const when = { step: `${step}${label}` };
    this.when.textContent =
      step > nudge
        ? trn("step {step}, {count} step after", "step {step}, {count} steps after", step - nudge, when)
        : tr("step {step}", when);
    for (const { values, most, worth, left, term } of this.numbers) {
      worth.textContent = secret ? "?" : power(values[step]);
      left.textContent = secret || step < nudge ? "" : shareOf(values[step] - most);
      term.classList.toggle("sv-some", term.contains(left) && !!left.textContent);
    }
  }
}
