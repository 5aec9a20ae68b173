// What one step does to a small change of the state: eigenvalues beside the unit circle, and how the
// singular values of the whole way back fan out with the lag.

import { el } from "./dom.js";
import { tr } from "./language.js";
import { calm } from "./motion.js";
import { number } from "./numbers.js";

/** @import { SpectrumHeader } from "./headers.js" */
/** @import { Theme } from "./theme.js" */

const SMALL = 250; // px
// A lecture's: px between its pictures, the height of their titles in letters, how much of the width is the circle's.
const [GAP, TITLE, SHARE] = [24, 2.2, 0.48];

export class Spectrum {
  /** @type {any} */
  Plotly;
  /** @type {SpectrumHeader | null} */
  header;
  /** @type {Theme} */
  theme;
  /** @type {Float32Array} the eigenvalues' real parts, `hidden` a computed step */
  re;
  /** @type {Float32Array} their imaginary parts */
  im;
  /** @type {Float32Array} the steps that were computed */
  steps;

  // room(node): the height that a lecture has for it; undefined elsewhere.
  /** @param {(node: Element) => number | undefined} [room] */
  constructor(room = () => undefined) {
    this.room = room;
    this.circle = el("div", { class: "sv-square", role: "img" });
    this.fan = el("div", { class: "sv-wide", role: "img" });
    this.circleTitle = el("h4", { class: "sv-small-title" });
    this.fanTitle = el("h4", { class: "sv-small-title", text: tr("Singular values of ∂h_T/∂h_t against the lag") });
    this.root = el(
      "div",
      { class: "sv-spectrum", hidden: true },
      el("figure", {}, this.circleTitle, this.circle),
      el("figure", { class: "sv-grow" }, this.fanTitle, this.fan),
    );
  }

  // Into view: it stands below the picture.
  reveal() {
    this.root.scrollIntoView({ block: "end", behavior: calm() ? "auto" : "smooth" });
  }

  // How large its two pictures are, in px: in a lecture as large as the window lets them.
  sizes() {
    const tall = this.room(this.root);
    const wide = this.root.clientWidth;
    if (tall === undefined || !wide) {
      const width = Math.max(240, this.fan.clientWidth || wide - 290);
      return { circle: { width: SMALL, height: SMALL }, fan: { width, height: SMALL } };
    }
    const height = Math.max(SMALL, tall - TITLE * this.theme.small);
    const square = Math.min(height, Math.floor(SHARE * wide));
    return { circle: { width: square, height: square }, fan: { width: wide - square - GAP, height } };
  }

  // It is shown, or its window has another size.
  fit() {
    if (!this.header || !this.Plotly) return;
    const { circle, fan } = this.sizes();
    this.Plotly.relayout(this.circle, circle);
    this.Plotly.relayout(this.fan, fan);
  }

  /**
   * @param {any} Plotly
   * @param {SpectrumHeader | null} header
   * @param {Record<string, Float32Array>} arrays
   * @param {Theme} theme
   */
  async draw(Plotly, header, arrays, theme) {
    this.root.hidden = !header;
    this.header = header;
    if (!header) return;
    Object.assign(this, {
      Plotly,
      theme,
      re: arrays["eig.re"],
      im: arrays["eig.im"],
      steps: arrays["eig.step"],
      at: null,
    });
    const em = theme.small;
    const base = {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: theme.well,
      font: { family: theme.mono, color: theme.quiet, size: em },
      showlegend: false,
      hovermode: "closest",
      dragmode: false,
    };
    const grid = { gridcolor: theme.rule, zerolinecolor: theme.rule };
    const called = (text) => ({ text, standoff: 2, font: { size: em } });
    const reach = header.reach;
    const circle = {
      type: "circle",
      xref: "x",
      yref: "y",
      x0: -1,
      y0: -1,
      x1: 1,
      y1: 1,
      line: { color: theme.ink, width: 1, dash: "dash" },
    };
    await Plotly.react(
      this.circle,
      [
        {
          type: "scatter",
          mode: "markers",
          x: [],
          y: [],
          marker: { size: 6, color: theme.lines[header.line], opacity: 0.8 },
          hovertemplate: "%{x:.3f} + %{y:.3f} i<extra></extra>",
        },
      ],
      {
        ...base,
        ...this.sizes().circle,
        margin: { l: 2.9 * em, r: 0.8 * em, t: 6, b: 1.8 * em },
        shapes: [circle],
        xaxis: { ...grid, range: [-reach, reach], fixedrange: true, nticks: 5 },
        yaxis: { ...grid, range: [-reach, reach], fixedrange: true, nticks: 5, scaleanchor: "x" },
      },
      { displayModeBar: false },
    );
    const H = header.singular;
    const lags = arrays["sing.lag"];
    const values = arrays["sing.values"];
    const traces = [];
    for (let k = 0; k < H; k++) {
      const y = Array.from(lags, (_, s) => (values[s * H + k] < header.floor ? null : values[s * H + k]));
      traces.push({
        type: "scatter",
        mode: "lines",
        x: Array.from(lags),
        y,
        line: { width: k === 0 ? 2 : 1, color: theme.lines[header.line] },
        opacity: k === 0 ? 1 : 0.35,
        hoverinfo: k === 0 ? "x+y" : "skip",
      });
    }
    await Plotly.react(
      this.fan,
      traces,
      {
        ...base,
        ...this.sizes().fan,
        margin: { l: 4.6 * em, r: 8, t: 6, b: 3.2 * em },
        xaxis: { ...grid, title: called(tr("lag T − t (steps)")), fixedrange: true, zeroline: false },
        yaxis: { ...grid, title: called("log10"), fixedrange: true, zeroline: true },
      },
      { displayModeBar: false },
    );
    this.fan.setAttribute("aria-label", header.says);
  }

  show(step) {
    if (!this.header || !this.Plotly) return;
    if (step === this.at) return;
    this.at = step;
    let best = 0;
    for (let s = 1; s < this.steps.length; s++)
      if (Math.abs(this.steps[s] - step) < Math.abs(this.steps[best] - step)) best = s;
    const H = this.header.hidden;
    const x = Array.from(this.re.subarray(best * H, (best + 1) * H));
    const y = Array.from(this.im.subarray(best * H, (best + 1) * H));
    const largest = Math.max(...x.map((v, k) => Math.hypot(v, y[k])));
    const values = { step, name: this.header.name, size: number(largest), nearest: this.steps[best] };
    this.circleTitle.textContent =
      values.nearest === step
        ? tr("Eigenvalues of step {step}, {name}: largest {size}", values)
        : tr(
            "Eigenvalues of step {nearest}, the one nearest to {step} that was computed, {name}: largest {size}",
            values,
          );
    this.circle.setAttribute("aria-label", this.circleTitle.textContent);
    this.Plotly.restyle(this.circle, { x: [x], y: [y] }, [0]);
  }

  destroy(Plotly) {
    Plotly.purge(this.circle);
    Plotly.purge(this.fan);
  }
}
