// One step of one unit, drawn as the cell with its numbers on the wires, beside the equations that they obey.

import { DIAGRAMS, LINES } from "./diagrams.js";
import { el, later, number, tr, visible, writeAddress } from "./kit.js";
import { sums, vectors } from "./sums.js";
import { Timeline, button, choice, clamp } from "./timeline.js";
import { Vectors } from "./vectors.js";

const SVG = "http://www.w3.org/2000/svg";
const FORMS = [[false, later("One unit")], [true, later("As vectors")]];
const svg = (tag, attributes = {}, ...children) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

export class CellView extends Timeline {
  constructor(root) {
    super(root, "");
    root.classList.add("sv-cellview");
    Object.assign(this.state, { unit: 0, phase: null, hidden: false, open: null, vectors: false, covered: new Set() });
    this.readAddress();
    this.drawing = svg("svg", { viewBox: "0 0 680 384", class: "sv-diagram", role: "img", tabindex: "0" });
    this.equations = el("div", { class: "sv-lines" });
    this.story = el("p", { class: "sv-phase", "aria-live": "polite" });
    const [unitBox, unit] = choice(tr("unit"), [], (v) => { this.state.unit = +v; this.move(this.state.step); });
    this.unitSelect = unit;
    this.walk = el("div", { class: "sv-group" },
      button(tr("Back"), tr("The part before"), () => this.toPhase(-1)), button(tr("Next"), tr("The next part of the cell"), () => this.toPhase(1)),
      button(tr("Whole cell"), tr("Show everything at once"), () => this.toPhase(null)),
      (this.guess = button(tr("Hide values"), tr("Let the class guess, then reveal"), () => this.cover(null))));
    this.forms = el("div", { class: "sv-segments", role: "radiogroup", "aria-label": tr("How the equations are shown") },
      ...FORMS.map(([all, text]) => el("button", { type: "button", role: "radio", class: "sv-segment", text: tr(text), onclick: () => { this.state.vectors = all; this.place(); this.viewChanged(); } })));
    this.bar = el("div", { class: "sv-bar" }, this.walk, this.story, el("div", { class: "sv-group sv-right" }, this.forms, unitBox,
      button(tr("See all units"), tr("Back to the gates page, at this step and unit"), () => this.send({ type: "gates", step: this.state.step, unit: this.state.unit, at: performance.now() }))));
    this.chips = el("div", { class: "sv-chips", "aria-hidden": "true" });
    root.replaceChildren(this.time, this.chips, this.bar, el("div", { class: "sv-cellgrid" }, this.drawing, this.equations), this.status, this.live);
    this.drawing.addEventListener("click", (e) => { const name = this.carries(e.target.closest("[data-link]")?.dataset.link); if (name) this.cover(name); });
    root.addEventListener("pointerover", (e) => this.light(e.target.closest?.("[data-link]")?.dataset.link));
    root.addEventListener("focusin", (e) => this.light(e.target.closest?.("[data-link]")?.dataset.link));
  }

  update({ header, arrays }) {
    const fresh = !this.header || header.cell !== this.header.cell;
    this.header = header;
    this.arrays = Object.fromEntries(Object.entries(arrays).map(([name, { values }]) => [name, values]));
    const { state } = this;
    this.kind = header.cell.startsWith("RNN") ? "RNN" : header.cell;
    state.L = header.steps;
    if (header.at && header.at[2] !== this.wish) [state.step, state.unit, this.wish] = header.at;
    state.step = clamp(state.step, 0, state.L - 1);
    state.unit = clamp(state.unit, 0, header.hidden - 1);
    if (fresh) state.phase = null;
    this.unitSelect.replaceChildren(...Array.from({ length: header.hidden }, (_, u) => el("option", { value: `${u}`, text: `${u}` })));
    this.scrubber.max = `${state.L - 1}`;
    this.status.textContent = header.status;
    this.chips.hidden = state.L > 64;
    this.chips.replaceChildren(...(state.L > 64 ? [] : Array.from({ length: state.L }, (_, t) => el("span", { class: "sv-chip", onclick: () => this.move(t), text: header.labels ? visible(header.labels[t]) : state.L <= 32 ? `${t}` : "" }))));
    this.latest = null;
    this.draw();
  }

  async draw() {
    if (!(await this.ready())) return;
    this.sketch();
    this.place();
    this.viewChanged();
    this.drawn();
  }

  // The drawing's fixed part; place() only changes numbers, widths and colours.
  sketch() {
    const ends = this.kind === "LSTM" ? [["c", 14, 88, "t−1"], ["h", 14, 304, "t−1"], ["c", 660, 88, "t"], ["h", 660, 304, "t"], ["x", 106, 368, "t"]] : this.kind === "GRU" ? [["h", 14, 88, "t−1"], ["h", 660, 88, "t"], ["x", 96, 368, "t"]] : [["h", 14, 154, "t−1"], ["h", 660, 154, "t"], ["x", 176, 368, "t"]];
    this.pieces = DIAGRAMS[this.kind].parts.map((part) => {
      const link = part.name;
      const group = svg("g", { "data-link": link, class: `sv-${part.kind}` });
      if (part.kind === "wire") {
        group.append(svg("title", {}, part.label ? tr("Click to hide this value, and to show it again") : ""), svg("path", { d: part.path, class: "sv-hit" }), (part.line = svg("path", { d: part.path, class: "sv-line" })));
        if (part.label) group.append((part.text = svg("text", { x: part.label[0], y: part.label[1], class: "sv-value" })));
      } else if (part.kind === "box") {
        group.append(svg("rect", { x: part.x - 22, y: part.y - 20, width: 44, height: 40, rx: 6 }), svg("text", { x: part.x, y: part.y + 1, class: "sv-glyph" }));
        group.lastChild.textContent = this.header.cell === "RNN_RELU" ? "relu" : part.text;
        const letter = part.name.length === 1 ? part.name : "";
        group.append(svg("text", { x: part.x - 26, y: part.y - 10, class: "sv-letter", style: `fill: var(--sv-hue-${letter})` }));
        group.lastChild.textContent = letter;
      } else {
        group.append(svg("circle", { cx: part.x, cy: part.y, r: 14 }), svg("text", { x: part.x, y: part.y + 1, class: "sv-glyph" }));
        group.lastChild.textContent = part.text;
      }
      return { ...part, group };
    });
    const labels = ends.map(([text, x, y, below]) => {
      const index = svg("tspan", { "baseline-shift": "sub", "font-size": "11" });
      index.textContent = below;
      return svg("text", { x, y, class: "sv-end" }, text, index);
    });
    this.drawing.replaceChildren(svg("rect", { x: 90, y: 34, width: 548, height: 306, rx: 16, class: "sv-hull" }), ...this.pieces.map((p) => p.group), ...labels);
    for (const piece of this.pieces) for (const name of ["line", "text"]) piece[name] = piece.group.querySelector(name === "line" ? ".sv-line" : ".sv-value");
    this.phaseOf = {};
    for (const { kind, value, phase } of this.pieces) if (kind === "wire") this.phaseOf[value] ??= phase;
    this.lines = LINES[this.kind].map((line) => {
      const relu = this.header.cell === "RNN_RELU";
      const spell = (part) => (typeof part === "string" ? (relu ? part.replace("tanh", "relu") : part) : el("span", { "data-link": part.link }, ...part.text.map(spell)));
      const numbers = el("span", { class: "sv-numbers" });
      const bars = el("div", { class: "sv-bars" });
      const head = el("button", { type: "button", class: "sv-lawline", "data-link": line.gate ?? line.value, "aria-expanded": "false", onclick: () => { this.state.open = this.state.open === line ? null : line; this.place(); } }, el("b", { style: `color: var(--sv-hue-${line.gate ?? line.value})` }, ...line.law.map(spell)), numbers);
      const strips = new Vectors(line.rows, (unit) => this.peek(unit), (unit) => { this.state.unit = unit; this.move(this.state.step); });
      return { ...line, line, numbers, bars, head, strips, root: el("div", { class: "sv-eq" }, head, strips.root, bars) };
    });
    this.equations.replaceChildren(...this.lines.map((l) => l.root));
  }

  place() {
    if (!this.pieces) return;
    const { state } = this;
    const v = sums(this.header, this.arrays, state.step, state.unit);
    const reached = state.phase ?? Infinity;
    const hue = (name) => `var(--sv-hue-${name.replace(/_.*/, "").replace("kept", "c").replace("written", "g").replace("reset", "r").replace("tanh", "c").replace("one", "z")})`;
    for (const piece of this.pieces) {
      piece.group.classList.toggle("sv-dim", piece.phase > reached);
      piece.group.classList.toggle("sv-now", piece.phase === state.phase);
      if (piece.kind !== "wire") continue;
      const value = v[piece.value];
      piece.line.style.stroke = hue(piece.value);
      piece.line.style.strokeWidth = `${1.2 + 5 * Math.min(1, Math.abs(value))}`;
      piece.line.style.strokeDasharray = value < 0 ? "7 4" : "";
      if (piece.text) piece.text.textContent = this.say(piece.value, v);
    }
    const all = state.vectors ? vectors(this.header, this.arrays, state.step) : null;
    for (const line of this.lines) this.write(line, v, reached, all);
    [...this.forms.children].forEach((b, k) => b.setAttribute("aria-checked", `${FORMS[k][0] === state.vectors}`));
    if (this.lit) this.relight();
    this.unitSelect.value = `${state.unit}`;
    this.guess.textContent = state.hidden || state.covered.size ? tr("Reveal") : tr("Hide values");
    const phases = DIAGRAMS[this.kind].phases;
    this.story.textContent = state.phase === null ? "" : tr("{k} of {count}: {phase}", { k: state.phase + 1, count: phases.length, phase: tr(phases[state.phase]) });
    this.drawing.setAttribute("aria-label", tr("{cell} at step {step}, unit {unit}: {values}", { cell: this.header.name, step: state.step, unit: state.unit, values: LINES[this.kind].map((l) => `${l.gate ?? l.value} ${this.say(l.gate ?? l.value, v)}`).join(", ") }));
    this.scrubber.value = `${state.step}`;
    this.clock.textContent = `${state.step} / ${state.L - 1}`;
    this.chips.children[this.latest ?? 0]?.classList.remove("sv-on");
    this.chips.children[state.step]?.classList.add("sv-on");
    this.latest = state.step;
  }

  // Whether a value is to be guessed: covered by itself, or with the part of the walk that computes it.
  hides(name) {
    const { hidden, phase, covered } = this.state;
    const own = this.phaseOf[name];
    return covered.has(name) || (hidden && (phase === null ? own > 0 : own === phase));
  }

  say(name, v) { return this.hides(name) ? "?" : number(v[name]); }

  // The value on a wire of this name, where a number stands beside it.
  carries(link) { return this.pieces.find((piece) => piece.name === link && piece.text)?.value; }

  // Hide one value, or show it again; without a name all of them.
  cover(name) {
    const { state } = this;
    if (name === null) {
      state.hidden = !(state.hidden || state.covered.size);
      state.covered.clear();
    } else if (!state.covered.delete(name)) state.covered.add(name);
    this.place();
  }

  // A strip under the pointer shows its unit's numbers, everywhere.
  peek(unit) {
    if (unit === this.peeked) return;
    this.peeked = unit;
    const all = vectors(this.header, this.arrays, this.state.step);
    for (const line of this.lines) this.strip(line, all);
  }

  strip(line, all) {
    line.strips.show(all, { unit: this.peeked ?? this.state.unit, theme: this.theme, gate: line.squash === "σ" ? line.gate : null, hides: (name) => this.hides(name) });
  }

  write(line, v, reached, all) {
    const name = line.gate ?? line.value;
    line.strips.root.hidden = !all;
    line.numbers.hidden = !!all;
    if (all) this.strip(line, all);
    line.root.classList.toggle("sv-dim", line.phase > reached);
    const say = (key) => this.say(key, v);
    if (line.gate) {
      const p = v.parts[line.gate];
      const plus = (value) => (value < 0 ? ` − ${number(-value)}` : ` + ${number(value)}`);
      const [, , x, , h] = line.law.map((part) => part.link);
      const part = (link, text) => el("span", { "data-link": link, text });
      const tail = line.reset ? [" + ", part("reset", `${say("r")} × (${number(p.sh)}${plus(p.bh)})`)] : [part(h, `${plus(p.sh)}${plus(p.bh)}`)];
      line.numbers.replaceChildren(` = ${this.header.cell === "RNN_RELU" ? "relu" : line.squash}(`, part(x, `${number(p.sx)}${plus(p.bx)}`), ...tail, ") = ", part(name, say(name)));
    } else {
      const product = ([link, a, b]) => el("span", { "data-link": link, text: `${say(a)} × ${say(b)}` });
      line.numbers.replaceChildren(" = ", ...line.terms.map((t) => (typeof t === "string" ? ` ${t} ` : product(t))), " = ", el("span", { "data-link": name, text: say(name) }));
    }
    const open = this.state.open === line.line && !!line.gate && !all;
    line.head.setAttribute("aria-expanded", `${open}`);
    line.bars.hidden = !open;
    if (open) line.bars.replaceChildren(...this.contributions(line, v));
  }

  // Which input and which unit added what; the bars add up to the sum in the equation.
  contributions(line, v) {
    const p = v.parts[line.gate];
    const factor = line.reset ? v.r : 1;
    const names = this.header.names;
    const all = [
      ...p.wx.map((value, k) => [names ? `x “${visible(names[k])}”` : `x[${k}]`, value]), ["b_i", p.bx],
      ...p.wh.map((value, k) => [`h[${k}]${line.reset ? " · r" : ""}`, factor * value]), [line.reset ? "b_h · r" : "b_h", factor * p.bh],
    ];
    const ranked = all.slice().sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    const shown = ranked.slice(0, 14);
    const rest = ranked.slice(14).reduce((sum, [, value]) => sum + value, 0);
    if (ranked.length > 14) shown.push([tr("{count} others", { count: ranked.length - 14 }), rest]);
    shown.push([tr("sum"), v[`${line.gate}_pre`]]);
    const most = Math.max(...shown.map(([, value]) => Math.abs(value)), 1e-9);
    return shown.map(([name, value], k) => el("div", { class: `sv-barrow${k === shown.length - 1 ? " sv-total" : ""}` }, el("span", { text: name }),
      el("i", {}, el("b", { style: `width:${(50 * Math.abs(value)) / most}%;${value < 0 ? "right:50%" : "left:50%"};background:${value < 0 ? this.theme.diverging[1][1] : this.theme.diverging[3][1]}` })), el("span", { class: "sv-barvalue", text: k === shown.length - 1 ? this.say(`${line.gate}_pre`, v) : number(value) })));
  }

  light(link) {
    if (link === this.lit) return;
    this.lit = link;
    this.relight();
  }

  relight() {
    const link = this.lit;
    for (const node of this.root.querySelectorAll("[data-link]")) node.classList.toggle("sv-lit", !!link && (node.dataset.link === link || node.dataset.link === `to_${link}`));
  }

  toPhase(by) {
    const count = DIAGRAMS[this.kind].phases.length;
    const { state } = this;
    if (by === null) state.phase = null;
    else state.phase = state.phase === null ? (by > 0 ? 0 : count - 1) : clamp(state.phase + by, 0, count - 1);
    this.place();
  }

  extraKeys(event, control, jump) {
    if (control) return {};
    const unit = (by) => () => { this.state.unit = clamp(this.state.unit + by, 0, this.header.hidden - 1); this.move(this.state.step); };
    return { ArrowUp: unit(-jump), ArrowDown: unit(jump), n: () => this.toPhase(1), b: () => this.toPhase(-1) };
  }

  spoken() { return tr("Step {step}, unit {unit}", { step: this.state.step, unit: this.state.unit }); }

  readAddress() {
    const view = new URLSearchParams(location.hash.slice(1));
    this.state.vectors = view.get("as") === "vectors";
    for (const name of ["step", "unit"]) if (/^\d{1,5}$/.test(view.get(name) ?? "")) this.state[name] = +view.get(name);
  }

  viewChanged() {
    const view = new URLSearchParams();
    if (this.state.step) view.set("step", this.state.step);
    if (this.state.unit) view.set("unit", this.state.unit);
    if (this.state.vectors) view.set("as", "vectors");
    writeAddress(this.header.address, view);
  }
}

