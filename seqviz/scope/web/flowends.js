// What stands at the right of the rows of several networks: names, values at the cursor, scales.

import { el } from "./dom.js";
import { ramp } from "./ends.js";
import { highwayColors } from "./flowfigure.js";
import { tr } from "./language.js";
import { swatchNote } from "./legends.js";
import { number, power } from "./numbers.js";

/** @import { FlowHeader, FlowRow } from "./headers.js" */
/** @import { Theme } from "./theme.js" */
/** @import { Built } from "./types.js" */

export class FlowEnds {
  /** @type {{values: Float32Array, worth: HTMLElement}[]} */
  lines = [];
  /** @type {HTMLElement[]} in how few steps lies what an output rests on, a network each */
  resting = [];

  // root: the layer over the picture; readout: the curves' names and values.
  constructor(root, readout) {
    this.root = root;
    this.readout = readout;
  }

  /**
   * @param {FlowHeader} header
   * @param {Record<string, Float32Array>} arrays
   * @param {FlowRow[]} rows
   * @param {Built} built
   * @param {Theme} theme
   */
  draw(header, arrays, rows, built, theme) {
    const { places } = built;
    const scaled = (scale, text, low, high, place) => [ramp({ scale, low: text(low), high: text(high) }, place, built)];
    const plain = (v) => `${v < 0 ? "−" : "+"}${number(Math.abs(v), 2)}`;
    this.lines = [];
    this.resting = [];
    const contents = {
      norm: () => [this.readout],
      lines: (row) => row.arrays.map((named) => this.line(named, arrays, theme)),
      states: ({ reach }, place) => scaled(theme.diverging, plain, -reach, reach, place),
      units: ({ ceiling }, place) => scaled(theme.magnitude, power, ceiling - header.decades, ceiling, place),
      moved: () => [],
      rests: (row) => row.arrays.map((named) => this.rests(named, theme)),
      share: () => highwayColors(theme).map((c, k) => swatchNote(c, [tr("cell-state highway"), tr("the rest")][k])),
    };
    const box = (row, place) => {
      const { top, height, head = 0 } = place;
      const style = `top:${top}px;height:${height}px;--sv-head:${head}px`;
      return el("div", { class: `sv-end-row sv-end-${row.kind}`, style }, ...contents[row.kind](row, place));
    };
    this.root.replaceChildren(...rows.map((row, k) => box(row, places[k])));
  }

  line({ name, label, line }, arrays, theme) {
    const worth = el("span", { class: "sv-end-worth" });
    this.lines.push({ values: arrays[name], worth });
    return el("span", { class: "sv-end-line" }, el("b", { style: `color:${theme.lines[line]}`, text: label }), worth);
  }

  rests({ label, line }, theme) {
    const says = el("span", { class: "sv-end-worth" });
    this.resting.push(says);
    return el("span", { class: "sv-end-line" }, el("b", { style: `color:${theme.lines[line]}`, text: label }), says);
  }

  show(step, secret) {
    for (const { values, worth } of this.lines) worth.textContent = secret ? "?" : number(values[step]);
  }
}
