// A recurrent network unrolled over time: the same cell at every step, handing its state on.

import { number, tr } from "./kit.js";

const SVG = "http://www.w3.org/2000/svg";
const SHOWN = 6;

function svg(tag, attributes = {}, text = "") {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text) node.textContent = text;
  return node;
}

export class Unrolled {
  constructor() {
    this.root = svg("svg", { viewBox: "0 0 860 190", class: "sv-diagram sv-unrolled", role: "img" });
  }

  // header: {name, width, steps}; arrays: "unrolled.x" (L), "unrolled.h" (L * width), "unrolled.y" (L).
  draw(header, arrays) {
    this.root.style.display = header ? "" : "none";
    this.header = header;
    this.arrays = arrays;
  }

  show(step) {
    if (!this.header) return;
    const { width, steps, name } = this.header;
    const count = Math.min(SHOWN, steps);
    const first = Math.max(0, Math.min(step - Math.floor(count / 2), steps - count));
    const size = (t) => Math.hypot(...this.arrays["unrolled.h"].subarray(t * width, (t + 1) * width));
    const parts = [];
    for (let k = 0; k < count; k++) {
      const t = first + k;
      const x = 80 + k * 135;
      const now = t === step ? "sv-now" : "";
      const strength = 1 + 4 * Math.min(1, size(t));
      parts.push(
        svg("path", { d: `M${x - 70} 95 H${x - 32}`, class: "sv-line", style: `stroke: var(--sv-hue-h); stroke-width: ${t ? 1 + 4 * Math.min(1, size(t - 1)) : 1}` }),
        svg("path", { d: `M${x} 158 V122`, class: "sv-line", style: "stroke: var(--sv-hue-x); stroke-width: 1.6" }),
        svg("path", { d: `M${x} 68 V36`, class: "sv-line", style: "stroke: var(--sv-hue-y); stroke-width: 1.6" }),
        svg("path", { d: `M${x + 32} 95 H${x + 66}`, class: "sv-line", style: `stroke: var(--sv-hue-h); stroke-width: ${strength}` }),
      );
      const cell = svg("g", { class: `sv-box ${now}` });
      cell.append(svg("rect", { x: x - 32, y: 68, width: 64, height: 54, rx: 8 }), svg("text", { x, y: 90, class: "sv-glyph" }, name), svg("text", { x, y: 109, class: "sv-value", "text-anchor": "middle" }, `t = ${t}`));
      parts.push(cell, svg("text", { x, y: 176, class: "sv-value", "text-anchor": "middle" }, `x ${number(this.arrays["unrolled.x"][t], 2)}`),
        svg("text", { x, y: 26, class: "sv-value", "text-anchor": "middle" }, `y ${number(this.arrays["unrolled.y"][t], 2)}`),
        svg("text", { x: x + 50, y: 86, class: "sv-value", "text-anchor": "middle" }, number(size(t), 2)));
    }
    this.root.replaceChildren(...parts);
    this.root.setAttribute("aria-label", tr("The {name} unrolled over steps {first} to {last}; on the wires between them the size of h: {sizes}.", { name, first, last: first + count - 1, sizes: Array.from({ length: count }, (_, k) => number(size(first + k), 2)).join(", ") }));
  }
}
