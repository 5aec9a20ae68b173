// The little table that stands beside a pointer.

import { el } from "./dom.js";
import { clamp } from "./numbers.js";

/** @typedef {{title: string, lines: [string, string][]}} Content */

export class Tip {
  constructor() {
    this.root = el("div", { class: "sv-tip", role: "tooltip" });
  }

  hide() {
    this.root.style.display = "none";
  }

  // place: where the pointer is; width, height: of the picture, in px.
  /**
   * @param {Content | null} content
   * @param {{px: number, py: number}} place
   * @param {number} width
   * @param {number} height
   */
  show(content, { px, py }, width, height) {
    this.root.style.display = "block";
    const line = ([name, value]) => el("tr", {}, el("th", { text: name }), el("td", { text: value }));
    this.root.replaceChildren(el("b", { text: content.title }), el("table", {}, ...content.lines.map(line)));
    const left = px + (px > width - 190 ? -this.root.offsetWidth - 14 : 16);
    const top = clamp(py - 16, 0, height - this.root.offsetHeight);
    this.root.style.transform = `translate(${left}px, ${top}px)`;
  }
}
