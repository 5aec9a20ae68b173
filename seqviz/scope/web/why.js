// What arrives of a gradient, beside the product of the forget gates, whose bias is a handle in the picture. While the
// hand moves, the product follows by its closed form; on release the networks are measured anew.

import { card, hand } from "./card.js";
import { saver } from "./controls.js";
import { el, svg } from "./dom.js";
import { tr } from "./language.js";
import { dashesOf } from "./legends.js";
import { clamp, number } from "./numbers.js";
import { addressed, fitted } from "./poster.js";
import { biasFor, left, raised, road } from "./road.js";
import { readTheme, redressed, wear } from "./theme.js";
import { Top } from "./top.js";

/** @import { Message } from "./bytes.js" */
/** @import { WhyHeader } from "./headers.js" */
/** @import { Host } from "./host.js" */

const [LEFT, RIGHT, TOP, BOTTOM] = [60, 14, 4, 42];
const KNOB = 11;
const MOST = 0.72; // of the height there is
const WIDE = 46; // letters in a line beside the saved picture
const [LOWEST, HIGHEST] = [-4, 10]; // the biases that the handle reaches
const ROUNDING = 1e-6; // of a log

export class Why {
  /** @type {WhyHeader} */
  header;
  /** @type {ReturnType<typeof road> | null} */
  way = null;
  /** @type {number} the decades that are drawn */
  low;
  /** @type {number} */
  high;
  /** @type {number | null} the bias under the hand, until it is measured */
  held = null;

  /**
   * @param {HTMLElement} root
   * @param {Host} host
   */
  constructor(root, host) {
    this.root = root;
    this.host = host;
    root.classList.add("sv-root", "sv-why");
    this.top = new Top();
    this.top.says.classList.add("sv-why-says");
    this.picture = svg("svg", { class: "sv-why-picture", role: "group" });
    this.lines = svg("g");
    this.blue = svg("g");
    this.handle = svg("g", { class: "sv-why-handle", tabindex: "0", role: "slider" });
    this.picture.append(this.lines, this.blue, this.handle);
    this.cards = el("div", { class: "sv-why-cards" });
    const foot = el(
      "div",
      { class: "sv-why-foot" },
      this.top.story,
      saver((format) => this.save(format), true),
    );
    root.replaceChildren(this.top.root, el("div", { class: "sv-why-body" }, this.picture, this.cards), foot);
    this.handle.addEventListener("pointerdown", (e) => this.grasp(e));
    this.handle.addEventListener("keydown", (e) => this.pressed(e));
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.picture);
    const stop = [host.rethemed(() => this.repaint()), host.resized(() => this.draw())];
    this.unlisten = () => stop.forEach((each) => each());
  }

  /** @param {Message<WhyHeader>} message */
  update(message) {
    const { header, arrays } = message;
    this.message = message;
    this.palettes = message.header.palettes;
    this.header = header;
    this.arrays = Object.fromEntries(Object.entries(arrays).map(([name, { values }]) => [name, values]));
    this.held = null;
    this.root.classList.remove("sv-asking");
    this.top.set({ headline: header.says, story: header.story });
    this.way = header.road ? road(this.arrays.drive, this.arrays.biases, this.arrays.asks) : null;
    this.theme = readTheme(this.root, this.palettes);
    wear(this.root, this.theme);
    this.draw();
    this.root.dataset.drawn = header.id;
  }

  repaint() {
    if (!this.header) return;
    const theme = redressed(this.root, this.palettes, this.theme);
    if (!theme) return;
    this.theme = theme;
    this.draw();
  }

  draw() {
    const width = this.picture.clientWidth;
    if (!this.header || !width) return;
    const height = this.height(width);
    this.size = { width, height };
    this.picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.picture.style.height = `${height}px`;
    [this.low, this.high] = this.header.range;
    this.lines.replaceChildren(...this.axes(), ...this.header.nets.map((net) => this.curve(net)));
    this.picture.setAttribute("aria-label", [this.header.says, ...this.header.nets.map(this.spoken)].join(" "));
    this.drawRoad();
    this.drawCards();
  }

  // In a lecture all the height there is, else most of it.
  height(width) {
    const room = this.host.room(this.picture);
    if (room === undefined) return width < 480 ? 260 : 330;
    return this.host.lecture() ? Math.max(200, room) : clamp(Math.round(MOST * room), 260, 560);
  }

  spoken = ({ label, left: kept, says }) => tr("{name}: {kept} {says}.", { name: label, kept, says });

  x(step) {
    return LEFT + (step / Math.max(1, this.header.steps - 1)) * (this.size.width - LEFT - RIGHT);
  }

  y(log) {
    const share = (this.high - clamp(log, this.low, this.high)) / (this.high - this.low);
    return TOP + share * (this.size.height - TOP - BOTTOM);
  }

  axes() {
    const { width, height } = this.size;
    const { steps } = this.header;
    const text = (x, y, said, anchor, below = {}) =>
      svg("text", { x, y, "text-anchor": anchor, class: "sv-why-tick", ...below }, said);
    /** @type {SVGElement[]} */
    const parts = [
      svg("rect", {
        x: LEFT,
        y: TOP,
        width: width - LEFT - RIGHT,
        height: height - TOP - BOTTOM,
        class: "sv-why-well",
      }),
    ];
    const every = this.high - this.low > 16 ? 6 : 3;
    for (let log = Math.ceil(this.low / every) * every; log <= this.high; log += every) {
      parts.push(svg("line", { x1: LEFT, x2: width - RIGHT, y1: this.y(log), y2: this.y(log), class: "sv-why-grid" }));
      parts.push(text(LEFT - KNOB - 3, this.y(log) + 5, raised(log), "end")); // beside the handle at its lowest
    }
    const ticks = width < 480 ? [0, steps - 1] : [0, Math.round((steps - 1) / 2), steps - 1];
    for (const t of new Set(ticks)) {
      const anchor = t < steps - 1 ? "middle" : steps > 1 ? "end" : "start";
      parts.push(
        text(
          this.x(t),
          height - BOTTOM + KNOB + 12,
          t === steps - 1 ? tr("{step}: the loss", { step: t }) : `${t}`,
          anchor,
        ),
      );
    }
    parts.push(text((LEFT + width - RIGHT) / 2, height - 4, tr("step t"), "middle"));
    return parts;
  }

  // A line through the logs of what is left; where it leaves the picture it ends.
  path(logs) {
    const points = [];
    for (let t = logs.length - 1; t >= 0; t--) {
      if (Number.isNaN(logs[t])) break;
      points.push(`${this.x(t).toFixed(1)},${this.y(logs[t]).toFixed(1)}`);
      if (logs[t] < this.low || logs[t] > this.high + ROUNDING) break;
    }
    return points.join(" ");
  }

  curve({ name, line }) {
    return svg("polyline", {
      points: this.path(this.arrays[name]),
      class: "sv-why-curve",
      "data-net": name,
      stroke: this.theme.lines[line],
      "stroke-dasharray": dashesOf(this.theme.dashes[line]),
    });
  }

  drawRoad() {
    const { way, header } = this;
    this.handle.style.display = this.handled ? "" : "none";
    this.blue.replaceChildren();
    if (!way) return;
    const last = header.steps - 1;
    const edge = (logs, order) => order.map((t) => `${this.x(t).toFixed(1)},${this.y(logs[t]).toFixed(1)}`).join(" ");
    const [there, back] = [[...Array(last + 1).keys()], [...Array(last + 1).keys()].reverse()];
    this.blue.append(
      svg("polygon", { points: `${edge(way.high, there)} ${edge(way.low, back)}`, class: "sv-why-band" }),
      svg("polyline", { points: this.path(way.kept), class: "sv-why-curve sv-why-road" }),
    );
    if (!this.handled) return;
    const [x, y] = [this.x(0), this.y(way.kept[0])];
    const said =
      this.bias === null ? tr("forget bias as drawn") : tr("forget bias {bias}", { bias: number(this.bias, 1) });
    const low = y > this.size.height - BOTTOM - 50;
    this.handle.replaceChildren(
      svg("circle", { cx: x, cy: y, r: 20, class: "sv-why-catch" }),
      svg("circle", { cx: x, cy: y, r: KNOB, class: "sv-why-knob" }),
      svg("path", { d: `M${x - 4} ${y - 2} l4 -4 l4 4 M${x - 4} ${y + 2} l4 4 l4 -4`, class: "sv-why-arrows" }),
      svg("text", { x: x + 20, y: low ? y - 16 : y + 24, class: "sv-why-name" }, said),
    );
    const about = {
      "aria-label": tr("forget bias"),
      "aria-valuemin": LOWEST,
      "aria-valuemax": HIGHEST,
      "aria-valuenow": this.bias ?? 0,
      "aria-valuetext": said,
    };
    for (const [name, value] of Object.entries(about)) this.handle.setAttribute(name, `${value}`);
    this.root.dataset.bias = this.bias === null ? "" : number(this.bias, 1);
  }

  get handled() {
    return !!this.way && this.host.answers;
  }

  get bias() {
    return this.held ?? this.header.bias;
  }

  drawCards() {
    const { header, theme, way } = this;
    const cards = header.nets.map(({ label, line, left: kept, says }) =>
      this.card(theme.lines[line], dashesOf(theme.dashes[line]), label, this.held === null ? kept : "…", says),
    );
    if (way)
      cards.splice(
        1,
        0,
        this.card(
          theme.hues.f,
          "8 5",
          "f · f · f …",
          left(way.kept[0]),
          this.held === null ? header.road : tr("on the road through c alone"),
        ),
      );
    this.cards.replaceChildren(...cards);
  }

  card(colour, dash, label, kept, says) {
    const stroke = svg("svg", { width: 40, height: 8, "aria-hidden": "true" });
    stroke.append(
      svg("line", { x1: 0, x2: 40, y1: 4, y2: 4, stroke: colour, "stroke-width": 4, "stroke-dasharray": dash }),
    );
    const name = el("span", { class: "sv-why-net", style: `color:${colour}` }, stroke, label);
    return el("div", { class: "sv-why-card" }, name, el("b", { text: kept }), el("span", { text: says }));
  }

  // The picture as a file, with its sentence, its numbers and its address.
  async save(format) {
    const { header, host, theme } = this;
    const beside = [...this.cards.children].flatMap((each) => {
      const [name, kept, says] = [...each.children].map((part) => part.textContent);
      return [`${name}  ${kept}`, ...fitted(says, WIDE)];
    });
    const words = { title: header.says, beside, notes: [header.story, ...addressed(host.address())] };
    await hand(card(this.picture, theme, words), format, "seqviz-gradient");
  }

  grasp(event) {
    if (!this.handled) return;
    event.preventDefault();
    this.handle.focus({ preventScroll: true });
    this.handle.setPointerCapture(event.pointerId);
    const box = this.picture.getBoundingClientRect();
    const moved = (e) => {
      const share = (e.clientY - box.top - TOP) / (this.size.height - TOP - BOTTOM);
      const log = this.high - clamp(share, 0, 1) * (this.high - this.low);
      this.hold(biasFor(this.arrays.drive, this.arrays.asks, log, [LOWEST, HIGHEST]));
    };
    const done = () => {
      this.handle.removeEventListener("pointermove", moved);
      this.ask();
    };
    this.handle.addEventListener("pointermove", moved);
    for (const end of ["pointerup", "pointercancel"]) this.handle.addEventListener(end, done, { once: true });
  }

  pressed(event) {
    const by = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (!by || !this.handled) return;
    event.preventDefault();
    event.stopPropagation();
    this.hold(Math.round(10 * clamp((this.bias ?? 0) + by / 10, LOWEST, HIGHEST)) / 10);
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.ask(), 400);
  }

  // The closed form at another bias: at once, and until it is measured.
  hold(bias) {
    if (bias === this.held) return;
    this.held = bias;
    this.root.classList.add("sv-asking");
    const biases = new Float64Array(this.header.hidden).fill(bias);
    this.way = road(this.arrays.drive, biases, this.arrays.asks);
    this.drawRoad();
    this.drawCards();
    this.root.dataset.redraws = `${+(this.root.dataset.redraws ?? 0) + 1}`;
  }

  ask() {
    if (this.held !== null && this.held !== this.header.bias) this.host.send({ type: "bias", value: this.held });
    else if (this.held !== null) this.update(this.message);
  }

  destroy() {
    clearTimeout(this.resting);
    this.watch.disconnect();
    this.unlisten?.();
  }
}
