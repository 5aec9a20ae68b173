// A stroke on the row of the input: the hand draws new numbers, step by step, for the feature that lies nearest to it.

import { clamp } from "./numbers.js";

const FEATURES = 6; // so many lines are drawn
const cents = (v) => Math.round(v * 100) / 100;

export class Pen {
  /** @type {{feature: number, edits: Map<number, number>, last: number} | null} */
  stroke = null;

  // scope: what is drawn on; its `drawable(place)` says where.
  /** @param {import("./view.js").Scope} scope */
  constructor(scope) {
    this.scope = scope;
    // Plotly starts its zoom on mousedown and touchstart; a stroke on the input row must not become one.
    const mouse = (e) => {
      if (this.on || this.over(e)) e.stopPropagation();
    };
    const touch = (e) => {
      if (!this.on) return;
      e.stopPropagation();
      e.preventDefault();
    };
    scope.plot.addEventListener("mousedown", mouse, true);
    scope.plot.addEventListener("touchstart", touch, { capture: true, passive: false });
  }

  get on() {
    return !!this.stroke;
  }

  over(event) {
    return this.scope.drawable(this.scope.under(event));
  }

  get edits() {
    return [...this.stroke.edits].map(([t, v]) => [t, this.stroke.feature, v]);
  }

  // Whether this press begins a stroke.
  pressed(event) {
    if (!this.over(event)) return false;
    event.stopPropagation();
    event.preventDefault();
    const { scope } = this;
    const { step, share } = scope.under(event);
    const feature = this.nearest(step, this.valueAt(share));
    this.stroke = { feature, edits: new Map(), last: step };
    Object.assign(scope.state, { feature, step });
    scope.hideTip();
    try {
      scope.plot.setPointerCapture(event.pointerId);
    } catch {
      // a pointer that is gone already: the end of the press is heard at the top of the page
    }
    this.moved(event);
    return true;
  }

  valueAt(share) {
    const [low, high] = this.scope.state.ranges.x;
    return high - share * (high - low);
  }

  nearest(step, value) {
    const { inputs } = this.scope.header;
    const gap = (f) => Math.abs(this.scope.now.x[step * inputs + f] - value);
    return [...Array(Math.min(inputs, FEATURES)).keys()].reduce((best, f) => (gap(f) < gap(best) ? f : best), 0);
  }

  moved(event) {
    event.stopPropagation();
    const { scope, stroke } = this;
    const box = scope.plot.getBoundingClientRect();
    const place = scope.area.built.places[scope.rows.findIndex((r) => r.signal === "x")];
    const at = Math.round(scope.area.back(event.clientX - box.left - scope.area.left));
    const step = clamp(at, 0, scope.state.L - 1);
    const value = cents(this.valueAt(clamp((event.clientY - box.top - place.top) / place.height, 0, 1)));
    this.drawTo(step, value);
    stroke.last = step;
    scope.state.hover = { step, unit: scope.state.unit };
    scope.state.step = step;
    scope.preview({ inputs: this.edits });
  }

  // A straight line from where the hand was: it may have left steps out.
  drawTo(step, value) {
    const { edits, last } = this.stroke;
    const before = edits.get(last) ?? value;
    const way = Math.sign(step - last) || 1;
    for (let t = last; ; t += way) {
      const part = step === last ? 1 : (t - last) / (step - last);
      edits.set(t, cents(before + part * (value - before)));
      if (t === step) break;
    }
  }

  // What has been drawn; the stroke is over.
  lifted(event) {
    event.stopPropagation();
    const { edits } = this;
    this.stroke = null;
    return edits;
  }
}
