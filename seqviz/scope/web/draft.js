// What the network would do with an edit, before anybody has told the server: the browser's own run, painted over the
// picture while the hand moves, and drawn by Plotly once it rests.

import { layoutOf } from "./axes.js";
import { Brush, lookup } from "./brush.js";
import { forward } from "./forward.js";
import { REST } from "./motion.js";
import { alike } from "./numbers.js";
import { colours, rowData, rowRange } from "./rows.js";

/** @import { Message } from "./bytes.js" */
/** @import { ModelHeader, ScopeHeader } from "./headers.js" */
/** @import { Numbers } from "./types.js" */

const CLOSE = 1e-5; // of a value's size: the server only confirms it

export class Draft {
  /** @type {(ModelHeader & {parameters: Numbers}) | null | undefined} */
  model;
  /** @type {Numbers | null} what the browser itself has computed */
  drafted = null;
  seen = 0; // strokes that were followed
  resting = 0; // the timer that runs until Plotly draws
  whole = false; // whether Plotly then draws the axes too: the server has confirmed what is painted

  /** @param {import("./view.js").Scope} scope */
  constructor(scope) {
    this.scope = scope;
    this.brush = new Brush();
  }

  // A message has come: whether the browser's own run shows its numbers already, painted until the hand rests or drawn
  // by Plotly.
  /**
   * @param {Message<ScopeHeader>} message
   * @returns {"new" | "painted" | "drawn"}
   */
  confirms({ header, arrays }) {
    const { drafted } = this;
    this.drafted = null;
    this.model = header.model && { ...header.model, parameters: pick(arrays, "model.") };
    const { area, now } = this.scope;
    const same = drafted && header.rows.every((row) => alike(drafted[row.signal], now[row.signal], CLOSE));
    if (same && this.resting) return "painted";
    return same && (area.parted || !this.brush.shown) ? "drawn" : "new";
  }

  // Every number of a run with these edits; without a model only the input is known.
  run({ inputs, weights }) {
    const { scope, model } = this;
    const { header } = scope;
    const x = scope.message.arrays.x.values.slice();
    for (const [t, f, v] of inputs) x[t * header.inputs + f] = v;
    return model ? ofLayer(forward(edited(model, weights), x, header.rules ?? []), header) : { ...scope.now, x };
  }

  preview({ inputs = [], weights = [] }) {
    const { scope } = this;
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      if (scope.gone || !scope.area.built) return;
      this.drafted = this.run({ inputs, weights });
      scope.showNow(this.drafted);
      this.seen++;
      this.sketch();
      scope.place();
      scope.root.dataset.previews = `${this.seen}`;
      this.whole = false;
      clearTimeout(this.resting);
      this.resting = setTimeout(() => {
        this.resting = 0;
        if (!scope.gone) scope.picture.redraw(this.whole);
      }, REST);
    });
  }

  // Plotly has drawn what the hand had made of the picture by then: the brush is not needed, unless it went on since.
  /** @param {number} seen */
  takenOver(seen) {
    if (seen !== this.seen) return;
    clearTimeout(this.resting);
    this.resting = 0;
    if (!this.scope.area.parted) this.brush.hide(); // what has moved aside stays painted
    this.scope.root.dataset.rested = `${this.seen}`;
  }

  // The numbers of now, painted over Plotly's picture.
  sketch() {
    const { rows, state, theme, area, shown } = this.scope;
    this.brush.left = area.left;
    const width = area.right - area.left;
    const across = lookup(Math.round(width), state.L, (t) => area.across(t - 0.5));
    rows.forEach((row, k) => {
      const values = shown[row.signal];
      const place = area.built.places[k];
      const folded = state.folded.has(row.signal);
      if (row.kind === "line" && !folded) {
        this.brush.lines(k, place, width, this.lines(row, k, values, place));
        return;
      }
      const [low, high] = rowRange(row, values, state);
      const look = { across, low, high, scale: colours(row, values, state, theme), ground: theme.well };
      this.brush.heat(k, place, width, { ...look, ...this.heat(row, values, folded) });
    });
    this.brush.root.hidden = false;
  }

  // How many lines of cells, and what is in one. Nothing is copied: this is asked at every frame.
  heat(row, values, folded) {
    const { state } = this.scope;
    if (folded) {
      const { z } = rowData(row, values, state);
      return { rows: z.length, cell: (line, t) => z[line][t] };
    }
    const { width } = row;
    if (row.kind === "onehot") return { rows: width, cell: (line, t) => values[t * width + line] };
    const { order } = state;
    return { rows: order.length, cell: (line, t) => values[t * width + order[line]] };
  }

  lines(row, k, values, { height }) {
    const { state, theme, area } = this.scope;
    const [low, high] = area.built.layout[layoutOf(k)].range;
    const { lines, targets } = rowData(row, values, state);
    const color = (f) => theme.lines[f % theme.lines.length];
    const dots = state.L <= 64 ? (row.signal === "x" ? 5 : 3) : 0;
    const stairs = row.signal === "x";
    return {
      x: (t) => area.across(t),
      y: (v) => (height * (high - v)) / (high - low),
      ground: theme.well,
      rule: theme.rule,
      lines: [
        ...targets.map((line, f) => ({ values: line, color: color(f), width: 1, dash: [1, 2], ring: 8 })),
        ...lines.map((line, f) => ({ values: line, color: color(f), width: 1.6, stairs, dots })),
      ],
    };
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.resting);
  }
}

// A message's arrays whose names begin so, by what is left of their names; without a prefix those of the run itself.
/**
 * @param {Message<any>["arrays"]} arrays
 * @param {string} prefix
 */
export function pick(arrays, prefix) {
  /** @type {Numbers} */
  const found = {};
  for (const [name, { values }] of Object.entries(arrays)) {
    if (prefix ? name.startsWith(prefix) : !/^(baseline|model)\./.test(name)) found[name.slice(prefix.length)] = values;
  }
  return found;
}

/**
 * @param {Numbers} result
 * @param {ScopeHeader} header
 */
function ofLayer(result, header) {
  /** @type {Numbers} */
  const found = { x: result.x, y: result.y };
  const prefix = `l${header.layer}.`;
  for (const [name, values] of Object.entries(result))
    if (name.startsWith(prefix)) found[name.slice(prefix.length)] = values;
  return found;
}

/**
 * @param {ModelHeader & {parameters: Numbers}} model
 * @param {[string, number, number, number][]} weights
 */
function edited(model, weights) {
  if (!weights.length) return model;
  const parameters = { ...model.parameters };
  for (const [name, row, col, value] of weights) {
    if (parameters[name] === model.parameters[name]) parameters[name] = parameters[name].slice();
    parameters[name][row * model.columns[name] + col] = value;
  }
  return { ...model, parameters };
}
