// The cell as a drawing: wires as wide, as strong and as dashed as the numbers that they carry, gates as full as they
// are open. Between two steps the numbers travel.

import { svg } from "./dom.js";
import { tr } from "./language.js";
import { calm } from "./motion.js";
import { number } from "./numbers.js";

const TRAVEL = 140; // ms
const NARROW = 480; // px
const LETTERS = 14; // px of a page's; a lecture's are larger
const SMALL = { letters: 12, most: 23 }; // px in a small picture; of the drawing's own, for which it has room
const short = (v, terse) => number(v, Math.abs(v) >= 100 ? 0 : Math.abs(v) >= 10 || terse ? 2 : 3);

/** @import { Form } from "./form.js" */

export class Drawing {
  /** @type {Form} */
  form;
  /** @type {(name: string) => boolean} whether a value is to be guessed */
  hides;
  /** @type {(name: string) => string} in whose words it is held by hand, if it is */
  held;
  /** @type {Record<string, string>} what stands on a wire in place of its number */
  words;

  // cover(name): a person wants a value hidden, or shown again; part(phase): told what a box does.
  constructor(cover, part) {
    this.root = svg("svg", { viewBox: "0 0 680 384", class: "sv-diagram", role: "group", tabindex: "0" });
    const carried = (event) =>
      this.pieces.find(({ group, note }) => note && group === event.target.closest("[data-link]"))?.value;
    this.root.addEventListener("click", (event) => {
      const name = carried(event);
      if (name) return cover(name);
      const box = this.pieces.find(({ kind, group }) => kind === "box" && group.contains(event.target));
      if (box) part(box.phase);
    });
    this.root.addEventListener("keydown", (event) => {
      const name = event.key === "Enter" || event.key === " " ? carried(event) : null;
      if (!name) return;
      event.preventDefault();
      event.stopPropagation();
      cover(name);
    });
    this.resizer = new ResizeObserver(() => {
      this.fit();
      if (this.now) this.paint(this.now);
    });
    this.resizer.observe(this.root);
  }

  // In a small picture and in a lecture the letters are larger, so that numbers have to be shorter. A lecture's are
  // as large as they are called, however small the picture is drawn.
  fit() {
    const wide = this.root.clientWidth;
    const small = wide > 0 && wide < NARROW;
    const letters = parseFloat(getComputedStyle(this.root).getPropertyValue("--sv-t1"));
    const stage = letters > LETTERS;
    this.terse = small || stage;
    const scale = Math.min(1, wide / this.root.viewBox.baseVal.width);
    const larger = stage && wide ? letters / scale : small ? Math.min(SMALL.most, SMALL.letters / scale) : 0;
    this.root.style.setProperty("--sv-letters", larger ? `${larger}px` : "");
  }

  // The fixed part; show() only changes numbers, widths and colours.
  /** @param {Form} form */
  sketch(form) {
    this.root.setAttribute("viewBox", `0 0 ${form.size.join(" ")}`);
    this.fit();
    this.form = form;
    this.now = null;
    this.pieces = form.parts.map((part) => this[part.kind](part));
    this.phaseOf = { ...form.phaseOf };
    for (const { value, phase } of this.pieces) if (value) this.phaseOf[value] ??= phase;
    const [x0, y0, width, height] = form.hull;
    const labels = form.ends.map(([text, x, y, below]) =>
      svg("text", { x, y, class: "sv-end" }, text, svg("tspan", { "baseline-shift": "sub" }, below)),
    );
    this.root.replaceChildren(
      svg("rect", { x: x0, y: y0, width, height, rx: 16, class: "sv-hull" }),
      ...this.pieces.map((piece) => piece.group),
      ...labels,
    );
  }

  wire(part) {
    const line = svg("path", { d: part.path, class: "sv-line" });
    const group = svg(
      "g",
      { "data-link": part.name, class: "sv-wire" },
      svg("path", { d: part.path, class: "sv-hit" }),
      line,
    );
    if (!part.label) return { ...part, group, line };
    const note = svg("text", { x: part.label[0], y: part.label[1], class: "sv-value" });
    for (const [name, value] of Object.entries({ role: "button", tabindex: "0" })) group.setAttribute(name, value);
    const title = svg("title");
    group.append(title, note);
    return { ...part, group, line, note, title };
  }

  box(part) {
    const letter = part.letter ?? (part.name.length === 1 ? part.name : "");
    const area = svg("rect", { x: part.x - 22, y: part.y - 20, width: 44, height: 40, rx: 6 });
    const group = svg(
      "g",
      { "data-link": part.name, class: "sv-box" },
      area,
      svg("text", { x: part.x, y: part.y + 1, class: "sv-glyph" }, part.text),
    );
    if (letter)
      group.append(
        svg(
          "text",
          { x: part.x - 26, y: part.y - 10, class: "sv-letter", style: `fill: var(--sv-hue-${letter})` },
          letter,
        ),
      );
    const asks = tr("Click to see what this does, and again for the whole cell");
    group.append(svg("title", {}, asks));
    return { ...part, area, group };
  }

  dot(part) {
    return {
      ...part,
      group: svg("g", { "data-link": part.name, class: "sv-dot" }, svg("circle", { cx: part.x, cy: part.y, r: 3.5 })),
    };
  }

  op(part) {
    return {
      ...part,
      group: svg(
        "g",
        { "data-link": part.name, class: "sv-op" },
        svg("circle", { cx: part.x, cy: part.y, r: 14 }),
        svg("text", { x: part.x, y: part.y + 1, class: "sv-glyph" }, part.text),
      ),
    };
  }

  // The minus of a term that is taken away.
  sign(part) {
    return { ...part, group: svg("text", { x: part.x, y: part.y, class: "sv-glyph" }, "−") };
  }

  hue(name) {
    return `var(--sv-hue-${this.form.hues[name] ?? name.replace(/_.*/, "")}, var(--sv-ink))`;
  }

  // What a wire is called when it is read out.
  spoken(name) {
    return (
      this.form.spoken[name] ??
      (name.endsWith("_pre") ? tr("sum of {gate}", { gate: name.replace(/_pre$/, "") }) : name.replace(/_$/, "₋₁"))
    );
  }

  // v: the values by name; hides(name): whether one is to be guessed; held(name): in whose words it is held by hand, if
  // it is; words: what stands for a number that is none, by name; lively: travel from the last ones.
  show(v, { phase, hides, held, words = {}, lively = false, settle = () => {} }) {
    Object.assign(this, { hides, held, words });
    const reached = phase ?? Infinity;
    for (const { kind, phase: own, group, name, value, note, title } of this.pieces) {
      const carried = value ?? name;
      const rule = hides(carried) ? "" : this.rule(kind, carried, held);
      group.classList.toggle("sv-dim", own > reached);
      group.classList.toggle("sv-now", own === phase);
      group.classList.toggle("sv-set", !!rule);
      group.setAttribute("aria-hidden", `${own > reached}`);
      if (!note) continue;
      const said = hides(value) ? "?" : (words[value] ?? number(v[value]));
      title.textContent =
        rule || tr("{name}: click to hide this value, and to show it again", { name: this.spoken(value) });
      group.setAttribute("tabindex", own > reached ? "-1" : "0");
      group.setAttribute("aria-label", `${this.spoken(value)}: ${said}${rule ? ` (${rule})` : ""}`);
      group.setAttribute("aria-pressed", `${hides(value)}`);
    }
    cancelAnimationFrame(this.frame);
    const from = this.now;
    if (!lively || !from || calm()) {
      this.paint(v);
      settle();
      return;
    }
    const begun = performance.now();
    const names = [...new Set(this.pieces.map(({ value, name }) => value ?? name))].filter(
      (name) => typeof v[name] === "number",
    );
    const travel = (time) => {
      const share = Math.min(1, Math.max(0, (time - begun) / TRAVEL));
      const eased = share * (2 - share);
      if (share < 1) {
        this.paint(
          { ...v, ...Object.fromEntries(names.map((name) => [name, from[name] + (v[name] - from[name]) * eased])) },
          false,
        );
        this.frame = requestAnimationFrame(travel);
        return;
      }
      this.paint(v);
      settle();
    };
    this.frame = requestAnimationFrame(travel);
  }

  // In whose words what a piece stands for is held: a sum also by one of its parts, and where no wire carries the sum,
  // a box by its sum.
  rule(kind, name, held) {
    if (name.endsWith("_pre")) {
      const parts = Object.keys(this.form.description.where).filter((hook) => hook.startsWith(name.replace("pre", "")));
      return held(name) || parts.map(held).find(Boolean) || "";
    }
    const sum = `${name}_pre`;
    return held(name) || (kind === "box" && !this.pieces.some(({ value }) => value === sum) ? held(sum) : "");
  }

  // Without `numbers` the wires and boxes alone move: a number is written when its motion has ended.
  paint(v, numbers = true) {
    this.now = v;
    const { hides, held, words } = this;
    for (const { kind, name, value, line, note, area } of this.pieces) {
      if (kind === "box") {
        const full = hides(name) || !Number.isFinite(v[name]) ? 0 : Math.min(1, Math.abs(v[name]));
        area.style.fill = `color-mix(in srgb, ${this.hue(name)} ${Math.round(45 * full)}%, var(--sv-paper))`;
      }
      if (kind !== "wire") continue;
      const size = hides(value) || Number.isNaN(v[value]) ? 0 : Math.abs(v[value]);
      const share = size === Infinity ? 1 : size / (1 + size);
      line.style.stroke = hides(value)
        ? "var(--sv-quiet)"
        : `color-mix(in srgb, ${this.hue(value)} ${Math.round(75 + 50 * Math.min(0.5, share))}%, var(--sv-rule))`;
      line.style.strokeWidth = `${(1.6 + 8 * share).toFixed(2)}`;
      line.style.strokeDasharray = !hides(value) && v[value] < 0 ? "7 4" : "";
      if (note && numbers)
        note.textContent = hides(value)
          ? "?"
          : (held(value) ? "≠ " : "") + (words[value] ?? short(v[value], this.terse));
    }
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    this.resizer.disconnect();
  }
}
