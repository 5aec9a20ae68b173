// The tank as a drawing: the state before, the gate that keeps some of it, the state, and the shutter on what shows.

import { svg } from "./dom.js";
import { number } from "./numbers.js";

/** @import { Amounts, Scene, Tank } from "./memory.js" */
/**
 * @typedef {object} Drawn
 * @property {Tank} tank
 * @property {Amounts} sizes
 * @property {Scene} scene
 * @property {Record<string, number>} v
 * @property {[number, number]} reach of the state
 * @property {number} width
 * @property {number} height
 * @property {{letters: number, large: number}} type
 * @property {any[]} scale the colours of signs
 * @property {(name: string) => boolean} hides
 */

/** @typedef {[number, number]} Column its left edge and its width */

const [SLAT, EVERY] = [6, 9]; // px
const SHADE = { soft: 0.55, full: 0.9 };

/** @type {(name: string) => string} the colour of a value; 1 − z has that of z */
export const hue = (name) => `var(--sv-hue-${{ one_z: "z" }[name] ?? name.replace(/_$/, "")}, var(--sv-ink))`;
/** @type {(name: string) => string} a value as it is written, that of the step before with its mark */
export const said = (name) => (name === "one_z" ? "(1 − z)" : name.replace(/_$/, "₋₁"));

export class TankDrawing {
  /** @param {Drawn} drawn */
  constructor(drawn) {
    /** @type {Drawn} */
    this.drawn = drawn;
    const { width, height, type } = drawn;
    this.parts = [];
    this.top = 2.6 * type.letters + 24;
    this.foot = height - 3.4 * type.letters;
    const left = 2.2 * type.letters;
    const free = width - left;
    /** @type {Column} */
    this.before = [left, 0.19 * free];
    /** @type {Column} */
    this.gate = [left + 0.22 * free, 0.08 * free];
    /** @type {Column} */
    this.now = [left + 0.35 * free, 0.3 * free];
    /** @type {Column} */
    this.out = [left + 0.78 * free, 0.2 * free];
  }

  // Where a value stands in the tank, and where in what shows, which goes from −1 or 0 to 1.
  at(value, [low, high] = this.drawn.reach) {
    return this.foot - ((Math.min(high, Math.max(low, value)) - low) / (high - low)) * (this.foot - this.top);
  }
  /** @returns {[number, number]} */
  get shown() {
    const { tank, reach } = this.drawn;
    return tank.shutter ? [reach[0] < 0 ? -1 : 0, reach[1] > 0 ? 1 : 0] : reach;
  }

  color(value, shade) {
    const stops = this.drawn.scale;
    const share = 0.5 + (value < 0 ? -0.5 : 0.5) * shade;
    return stops[Math.round(share * (stops.length - 1))][1];
  }

  rect(x, y, width, height, look) {
    if (height <= 0 || width <= 0) return;
    this.parts.push(svg("rect", { x, y, width, height, ...look }));
  }

  // What lies between two values of a column.
  fill([x, width], from, to, color, reach) {
    const [a, b] = [this.at(from, reach), this.at(to, reach)];
    this.rect(x, Math.min(a, b), width, Math.abs(a - b), { fill: color });
  }

  slats([x, width], from, to) {
    const [a, b] = [Math.min(from, to), Math.max(from, to)];
    for (let y = a + 1; y < b - 2; y += EVERY) this.rect(x, y, width, Math.min(SLAT, b - y), { class: "sv-tank-slat" });
  }

  text(x, y, text, { size = this.drawn.type.letters, color = "", anchor = "middle", bold = true, paper = false } = {}) {
    const weight = bold ? 700 : 400;
    const style = `font-size:${size}px;text-anchor:${anchor};font-weight:${weight};${color && `fill:${color}`}`;
    this.parts.push(svg("text", { x, y, style, class: paper ? "sv-tank-on" : "sv-tank-text" }, text));
  }

  says(name, value = this.drawn.v[name]) {
    return this.drawn.hides(name) ? "?" : number(value, 2);
  }

  axis() {
    const { reach, width, type } = this.drawn;
    for (const value of new Set([reach[0], 0, reach[1]])) {
      const y = this.at(value);
      this.parts.push(svg("path", { d: `M${this.before[0] - 6},${y}H${width}`, class: "sv-tank-rule" }));
      this.text(this.before[0] - 10, y + 0.35 * type.letters, number(value, Number.isInteger(value) ? 0 : 1), {
        anchor: "end",
        color: "var(--sv-quiet)",
        bold: false,
      });
    }
  }

  // The state of the step before, which the first gate lets some of through.
  past() {
    const { tank, sizes, scene, v, type, hides } = this.drawn;
    const zero = this.at(0);
    const [x, wide] = this.before;
    this.rect(x, this.top, wide, this.foot - this.top, { class: "sv-tank-thin", rx: 3 });
    if (!hides(`${tank.state}_`)) this.fill(this.before, 0, sizes.before, this.color(sizes.before, SHADE.soft));
    const y = this.at(hides(`${tank.state}_`) ? 0 : sizes.before) + (sizes.before < 0 ? 1.1 * type.large : -6);
    this.text(x + wide / 2, y, this.says(`${tank.state}_`), { size: type.large });
    const [g, narrow] = this.gate;
    const look = { class: "sv-tank-gate", style: `stroke:${hue(tank.gate)}`, rx: 2 };
    if (!hides(tank.gate)) {
      const open = 1 - (1 - v[tank.gate]) * scene.drained;
      const edge = this.at(sizes.before * open);
      if (scene.drained) this.fill(this.gate, 0, sizes.before * open, hue(tank.gate));
      this.slats(this.gate, edge, this.at(sizes.before));
    }
    const end = this.at(hides(tank.gate) || hides(`${tank.state}_`) ? 0 : sizes.before);
    this.rect(g, Math.min(zero, end), narrow, Math.abs(zero - end), look);
    const foot = this.foot + 1.4 * type.letters;
    this.text(x + wide / 2, foot, said(`${tank.state}_`), { bold: false, color: "var(--sv-quiet)" });
    this.text(g + narrow / 2, foot, said(tank.gate), { size: type.large, color: hue(tank.gate) });
    if (scene.gate)
      this.text(g + narrow / 2, foot + 1.4 * type.letters, this.says(tank.gate), { color: hue(tank.gate) });
  }

  // The tank: what is left of the old, what was poured in, what is gone.
  present() {
    const { tank, sizes, scene, type, hides } = this.drawn;
    const [x, wide] = this.now;
    const middle = x + wide / 2;
    const covered = hides(tank.state) || hides(tank.gate) || hides(`${tank.state}_`);
    this.rect(x, this.top, wide, this.foot - this.top, { class: "sv-tank-well", rx: 3 });
    if (!covered) {
      if (scene.drained && !scene.poured) this.gone(sizes.before, scene.kept);
      this.fill(this.now, 0, scene.kept, this.color(scene.kept, SHADE.soft));
      if (scene.poured) this.poured();
    }
    this.rect(x, this.top, wide, this.foot - this.top, { class: "sv-tank-frame", rx: 3 });
    if (scene.says !== null) {
      const filled = !covered && Math.abs(this.at(0) - this.at(scene.level)) > 2.2 * type.large;
      const level = this.at(covered ? 0 : scene.level);
      const y = filled === sizes.now >= 0 ? level + 1.35 * type.large : level - 0.5 * type.large;
      const inside = Math.min(this.foot - 6, Math.max(this.top + 1.4 * type.large, y));
      const text = covered ? "?" : number(scene.says, 2);
      this.text(middle, inside, text, { size: 1.5 * type.large, paper: filled && scene.poured > 0 });
    }
    const foot = this.foot + 1.4 * type.letters;
    this.text(middle, foot, said(tank.state), { bold: false, color: "var(--sv-quiet)" });
    this.spout(middle);
  }

  gone(from, to) {
    const [x, wide] = this.now;
    const [a, b] = [this.at(from), this.at(to)];
    const line = `stroke:${this.color(from, SHADE.soft)}`;
    const [high, low] = [Math.min(a, b), Math.max(a, b)];
    for (let y = high + 4; y < low; y += 7)
      this.parts.push(svg("path", { d: `M${x},${y}H${x + wide}`, class: "sv-tank-gone", style: line }));
  }

  poured() {
    const { scene, sizes } = this.drawn;
    const [x, wide] = this.now;
    const y = this.at(scene.kept);
    // What comes in with the other sign takes away from what is there.
    const adds = sizes.written * scene.kept >= 0;
    if (adds) this.fill(this.now, scene.kept, scene.level, this.color(sizes.written, SHADE.full));
    else {
      this.fill(this.now, scene.level, scene.kept, "var(--sv-well)");
      this.gone(scene.kept, scene.kept * scene.level > 0 ? scene.level : 0);
      if (scene.kept * scene.level < 0) this.fill(this.now, 0, scene.level, this.color(scene.level, SHADE.full));
    }
    this.parts.push(svg("path", { d: `M${x},${y}H${x + wide}`, class: "sv-tank-mark" }));
  }

  // Over the tank: as wide open as what lets in, and what comes.
  spout(middle) {
    const { tank, scene, sizes, v, type, hides } = this.drawn;
    const [one, two] = tank.pour;
    const wide = 46;
    const open = hides(one) || scene.poured === 0 ? 0 : Math.min(1, Math.abs(v[one]));
    const y = this.top - 14 - 1.6 * type.letters;
    this.rect(middle - wide / 2, y, wide, 14, { class: "sv-tank-slat" });
    this.rect(middle - (wide * open) / 2, y, wide * open, 14, { style: `fill:${hue(one)}` });
    this.rect(middle - wide / 2, y, wide, 14, { class: "sv-tank-gate", style: `stroke:${hue(one)}` });
    if (scene.poured > 0 && scene.poured < 1 && open)
      this.rect(middle - (wide * open) / 2, y + 14, wide * open, this.at(scene.level) - y - 14, {
        fill: this.color(sizes.written, SHADE.full),
      });
    const at = (name) => (scene.pour ? ` ${this.says(name)}` : "");
    const text = svg(
      "text",
      { x: middle + wide / 2 + 8, y: y + 12, style: `font-size:${type.letters}px`, class: "sv-tank-text" },
      svg("tspan", { style: `fill:${hue(one)};font-weight:700` }, said(one)),
      `${at(one)} × `,
      svg("tspan", { style: `fill:${hue(two)};font-weight:700` }, said(two)),
      at(two),
    );
    this.parts.push(text);
  }

  // The shutter: what it leaves open of what could be shown.
  shutter() {
    const { tank, sizes, scene, type, hides } = this.drawn;
    if (!tank.shutter) return;
    const { gate, out, through } = tank.shutter;
    const [x, wide] = this.out;
    const middle = x + wide / 2;
    const covered = hides(out) || hides(gate) || hides(tank.state);
    this.rect(x, this.top, wide, this.foot - this.top, { class: "sv-tank-well", rx: 3 });
    if (covered || !scene.opened) this.slats(this.out, this.top, this.foot);
    else {
      const open = sizes.out * scene.opened;
      this.fill(this.out, 0, sizes.whole, this.color(sizes.whole, 0.35), this.shown);
      this.fill(this.out, 0, open, this.color(sizes.out, SHADE.full), this.shown);
      this.slats(this.out, this.at(sizes.whole, this.shown), this.at(open, this.shown));
      const y = this.at(sizes.whole / 2, this.shown);
      this.parts.push(svg("path", { d: `M${this.now[0] + this.now[1]},${y}H${x}`, class: "sv-tank-pipe" }));
      this.text((this.now[0] + this.now[1] + x) / 2, y - 8, through, { bold: false, color: "var(--sv-quiet)" });
    }
    const look = { class: "sv-tank-gate", style: `stroke:${hue(gate)}`, rx: 3 };
    this.rect(x, this.top, wide, this.foot - this.top, look);
    const foot = this.foot + 1.4 * type.letters;
    this.text(middle, foot, said(out), { bold: false, color: "var(--sv-quiet)" });
    const letter = scene.shown ? `${said(gate)} ${this.says(gate)}` : said(gate);
    this.text(middle, this.top - 8, letter, { color: hue(gate) });
    if (scene.shown)
      this.text(middle, foot + 1.5 * type.letters, this.says(out), { size: type.large, color: hue(out) });
  }

  /** @returns {SVGElement[]} */
  draw() {
    this.axis();
    this.past();
    this.present();
    this.shutter();
    return this.parts;
  }
}
