// A recurrent network unrolled over time: the same cell at every step, handing its state on. Below, all steps in
// small; above, those about the cursor with their numbers.

import { el, svg } from "./dom.js";
import { tr, trn } from "./language.js";
import { clamp, number } from "./numbers.js";

const [LEFT, EACH, CHAIN] = [12, 135, 204];
const NARROW = 520; // px
const [SIDE, TALL, FEW, MOST] = [50, 234, 3, 6]; // units of the drawing; cells of it
const TITLE = 36; // px of a lecture's

/** @import { UnrolledHeader } from "./headers.js" */

export class Unrolled {
  /** @type {UnrolledHeader & {steps: number} | undefined} */
  header;

  // room(node): the height that a lecture has for it; undefined elsewhere.
  /**
   * @param {(step: number) => void} choose
   * @param {(node: Element) => number | undefined} [room]
   */
  constructor(choose, room = () => undefined) {
    this.room = room;
    this.near = svg("g");
    this.chain = svg("g", { class: "sv-chain" });
    this.frame = svg("rect", { y: CHAIN - 5, height: 30, rx: 5, class: "sv-window" });
    this.picture = svg("svg", { class: "sv-diagram sv-unrolled", role: "img" });
    this.picture.append(this.near, this.chain, this.frame);
    this.title = el("h3", { class: "sv-small-title" });
    this.root = el("div", { class: "sv-unrolled-part" }, this.title, this.picture);
    this.chain.addEventListener("click", (event) => {
      const box = this.chain.getBoundingClientRect();
      choose(Math.min(this.header.steps - 1, Math.floor(((event.clientX - box.left) / box.width) * this.header.steps)));
    });
  }

  // arrays: "unrolled.x" (L), "unrolled.h" (L * width), "unrolled.y" (L).
  /**
   * @param {UnrolledHeader & {steps: number} | undefined} header
   * @param {Record<string, Float32Array>} arrays
   */
  draw(header, arrays) {
    this.root.style.display = header ? "" : "none";
    this.header = header;
    this.arrays = arrays;
    if (!header) return;
    this.shown = this.fits();
    const across = SIDE + EACH * this.shown;
    this.title.textContent = tr(
      "{name} unrolled: the same cell at every step, handing h on; its size ‖h‖ on the wires",
      { name: header.name },
    );
    this.picture.setAttribute("viewBox", `0 0 ${across} ${TALL}`);
    const { width, steps } = header;
    this.sizes = Float64Array.from({ length: steps }, (_, t) =>
      Math.hypot(...arrays["unrolled.h"].subarray(t * width, (t + 1) * width)),
    );
    this.each = (across - 2 * LEFT) / steps;
    const most = Math.max(1e-9, ...this.sizes.filter(Number.isFinite));
    const gap = Math.min(5, 0.3 * this.each);
    const shade = (size) => (Number.isNaN(size) ? 0 : 0.08 + 0.92 * Math.min(1, size / most));
    const parts = [];
    for (let t = 0; t < steps; t++) {
      const x = LEFT + t * this.each;
      if (t)
        parts.push(
          svg("path", {
            d: `M${x - gap} ${CHAIN + 10} h${2 * gap}`,
            class: "sv-line",
            style: "stroke: var(--sv-hue-h); stroke-width: 1.5",
          }),
        );
      parts.push(
        svg("rect", {
          x: x + gap,
          y: CHAIN,
          width: this.each - 2 * gap,
          height: 20,
          rx: Math.min(3, this.each / 5),
          style: `fill: var(--sv-hue-h); fill-opacity: ${shade(this.sizes[t])}`,
        }),
      );
    }
    this.chain.replaceChildren(...parts);
  }

  // How many cells have room enough to be read.
  fits() {
    const wide = this.picture.clientWidth;
    if (!wide) return MOST;
    const room = this.room(this.root);
    if (room === undefined) return wide < NARROW ? FEW : MOST;
    return clamp(Math.ceil(((this.root.clientWidth * TALL) / (room - TITLE) - SIDE) / EACH), FEW, MOST);
  }

  show(step) {
    if (!this.header) return;
    if (this.shown !== this.fits()) this.draw(this.header, this.arrays);
    const { steps, name } = this.header;
    const { sizes } = this;
    const count = Math.min(this.shown, steps);
    const first = Math.max(0, Math.min(step - Math.floor(count / 2), steps - count));
    const wire = (d, hue, size) =>
      svg("path", { d, class: "sv-line", style: `stroke: var(--sv-hue-${hue}); stroke-width: ${size}` });
    const thick = (t) => (t < 0 || Number.isNaN(sizes[t]) ? 1 : 1 + 4 * Math.min(1, sizes[t]));
    const note = (x, y, text) => svg("text", { x, y, class: "sv-value", "text-anchor": "middle" }, text);
    const parts = [];
    for (let k = 0; k < count; k++) {
      const t = first + k;
      const x = 80 + k * EACH;
      parts.push(
        wire(`M${x - 70} 95 H${x - 32}`, "h", thick(t - 1)),
        wire(`M${x} 158 V122`, "x", 1.6),
        wire(`M${x} 68 V36`, "y", 1.6),
        wire(`M${x + 32} 95 H${x + 66}`, "h", thick(t)),
      );
      const cell = svg("g", { class: `sv-box ${t === step ? "sv-now" : ""}` });
      cell.append(
        svg("rect", { x: x - 32, y: 68, width: 64, height: 54, rx: 8 }),
        svg("text", { x, y: 86, class: "sv-glyph" }, name),
        note(x, 114, `t = ${t}`),
      );
      parts.push(
        cell,
        note(x, 176, `x ${number(this.arrays["unrolled.x"][t], 2)}`),
        note(x, 26, `y ${number(this.arrays["unrolled.y"][t], 2)}`),
        note(x + EACH / 2, 86, number(sizes[t], sizes[t] < 100 ? 2 : 0)),
      );
    }
    this.near.replaceChildren(...parts);
    this.frame.setAttribute("x", `${LEFT + first * this.each - 1}`);
    this.frame.setAttribute("width", `${count * this.each + 2}`);
    this.picture.setAttribute(
      "aria-label",
      tr(
        "The {name} unrolled over {steps}; near the cursor, steps {first} to {last}, with the size of h on the wires " +
          "between them: {sizes}.",
        {
          name,
          steps: trn("{count} step", "{count} steps", steps),
          first,
          last: first + count - 1,
          sizes: Array.from({ length: count }, (_, k) => number(sizes[first + k], 2)).join(tr(", ")),
        },
      ),
    );
  }
}
