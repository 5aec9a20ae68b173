// Shuffling before one's eyes: the columns of every network go to where their steps have gone, and take on what the
// network says of them there; and strands from every step's old place to its new one.

import { ramp } from "./brush.js";
import { el, svg } from "./dom.js";
import { calm, eased } from "./motion.js";
import { largest } from "./numbers.js";

/** @import { FlowHeader, FlowRow } from "./headers.js" */
/** @typedef {{header: FlowHeader, arrays: Record<string, Float32Array>}} Seen */

const SWAP = 700; // ms
const CLOSE = 1e-6;
const BAR = 3; // px

// Where every step of the new picture was in the old one; null where the one is not the other in another order.
/** @type {(old: Seen, now: Seen) => number[] | null} */
export function movedFrom(old, now) {
  if (old.header.steps !== now.header.steps || !old.arrays.order === !now.arrays.order) return null;
  const order = Array.from(now.arrays.order ?? old.arrays.order);
  const from = now.arrays.order ? order : order.map((_, t) => order.indexOf(t));
  const [a, b] = [old.arrays.x, now.arrays.x];
  return a && b && from.every((k, t) => Math.abs(a[k] - b[t]) <= CLOSE) ? from : null;
}

const css = (pixel) => `rgb(${pixel & 255},${(pixel >> 8) & 255},${(pixel >> 16) & 255})`;

export class Shuffle {
  /** @type {number | undefined} */
  frame;

  // flow: whose picture it is.
  /** @param {any} flow */
  constructor(flow) {
    this.flow = flow;
    this.canvas = el("canvas", { class: "sv-shuffling", "aria-hidden": "true", hidden: true });
    this.strands = svg("svg", { class: "sv-strands", "aria-hidden": "true" });
  }

  // Move the columns of the old picture to their new places, then go on; at once where there is nothing to move.
  /**
   * @param {Seen} old
   * @param {Seen} now
   * @param {() => void} done
   */
  run(old, now, done) {
    cancelAnimationFrame(this.frame);
    const from = this.flow.area.drawn && old.header ? movedFrom(old, now) : null;
    if (!from || calm()) {
      this.canvas.hidden = true;
      done();
      return;
    }
    const begun = performance.now();
    const step = (time) => {
      if (this.flow.gone) return;
      const share = Math.min(1, Math.max(0, (time - begun) / SWAP));
      this.paint(old, now, from, eased(share));
      if (share < 1) this.frame = requestAnimationFrame(step);
      else done();
    };
    this.frame = requestAnimationFrame(step);
  }

  over() {
    this.canvas.hidden = true;
  }

  // One moment of the motion, over the old picture.
  paint(old, now, from, share) {
    const { area, theme, plot } = this.flow;
    const { built } = area;
    const wide = area.right - area.left;
    Object.assign(this.canvas, { width: Math.round(wide), height: built.height, hidden: false });
    this.canvas.style.cssText = `left:${area.left}px;top:0;width:${wide}px;height:${built.height}px`;
    const pen = this.canvas.getContext("2d");
    plot.dataset.shuffling = `${share < 1}`;
    const column = area.across(1) - area.across(0);
    const at = (t) => area.across(from[t]) + (area.across(t) - area.across(from[t])) * share;
    old.header.rows.forEach((row, k) => {
      const place = built.places[k];
      if (row.kind !== "states" && row.signal !== "x") return;
      if (this.flow.state.folded.has(row.signal)) return;
      pen.fillStyle = theme.well;
      pen.fillRect(0, place.top, wide, place.height);
      const next = now.header.rows.find(({ signal }) => signal === row.signal);
      if (row.signal === "x") this.bars(pen, row, place, { values: now.arrays.x, at, column });
      else if (next) this.columns(pen, [row, next], place, { old, now, from, share, at, column });
    });
  }

  bars(pen, row, place, { values, at, column }) {
    const [low, high] = row.range;
    pen.fillStyle = this.flow.theme.ink;
    for (let t = 0; t < values.length; t++) {
      const y = place.top + (place.height * (high - values[t])) / (high - low);
      pen.fillRect(at(t) - column / 2, y - BAR / 2, column, BAR);
    }
  }

  // A network's units: every column on its way, its colour between what it was and what it is there.
  columns(pen, [row, next], place, { old, now, from, share, at, column }) {
    const colors = ramp(this.flow.theme.diverging);
    const [before, after] = [old.arrays[row.array], now.arrays[next.array]];
    const [H, tall] = [row.width, place.height / row.width];
    const shade = (value, reach) => Math.min(1, Math.max(-1, value / reach || 0));
    for (let t = 0; t < from.length; t++)
      for (let u = 0; u < H; u++) {
        const a = shade(before[from[t] * H + u], row.reach);
        const b = shade(after[t * H + u], next.reach);
        const place01 = ((a + (b - a) * share + 1) / 2) * (colors.length - 1);
        pen.fillStyle = css(colors[Math.round(place01)]);
        pen.fillRect(at(t) - column / 2, place.top + u * tall, Math.ceil(column), Math.ceil(tall));
      }
  }

  // From where every step was, above, to where it is, below: the larger its input, the stronger.
  /**
   * @param {FlowRow[]} rows
   * @param {Record<string, Float32Array>} arrays
   */
  draw(rows, arrays) {
    const { area, state } = this.flow;
    const k = rows.findIndex(({ kind }) => kind === "moved");
    this.strands.toggleAttribute("hidden", k < 0);
    if (k < 0 || state.folded.has("moved")) {
      this.strands.replaceChildren();
      return;
    }
    const { top, height } = area.built.places[k];
    const wide = area.right - area.left;
    this.strands.setAttribute("viewBox", `0 0 ${wide} ${height}`);
    this.strands.style.cssText = `left:${area.left}px;top:${top}px;width:${wide}px;height:${height}px`;
    const most = largest(arrays.x) || 1;
    const strand = (from, t) => {
      const [a, b] = [area.across(from), area.across(t)];
      const size = Math.abs(arrays.x[t]) / most;
      const style = `stroke-width:${0.6 + 1.2 * size};stroke-opacity:${0.35 + 0.6 * size}`;
      return svg("path", { d: `M${a},0C${a},${0.6 * height} ${b},${0.4 * height} ${b},${height}`, style });
    };
    this.strands.replaceChildren(...Array.from(arrays.order, strand));
  }

  destroy() {
    cancelAnimationFrame(this.frame);
  }
}
