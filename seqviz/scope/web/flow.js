// The learning signal on its way back through time: several networks, one cursor, a logarithmic axis.
// Arrays hold log10 of norms; -Infinity is a signal of exactly 0 and is drawn at the foot, dotted.

import { Spectrum } from "./spectrum.js";
import { clauses, el, gradient, number, tr, trn, writeAddress } from "./kit.js";
import { Nudge } from "./nudge.js";
import { Timeline, button, clamp } from "./timeline.js";
import { Unrolled } from "./unrolled.js";
import { figure } from "./flowfigure.js";
import { MARGIN } from "./picture.js";

// A number given by its log10, which may lie far outside what a double holds.
export function power(v) {
  if (v === -Infinity) return "0";
  if (!Number.isFinite(v)) return "–";
  const plain = (10 ** v).toPrecision(3);
  if (Math.abs(v) < 3 && !plain.includes("e")) return plain;
  let exponent = Math.floor(v);
  let mantissa = (10 ** (v - exponent)).toFixed(1);
  if (mantissa === "10.0") [exponent, mantissa] = [exponent + 1, "1.0"];
  const raised = `${exponent}`.replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[+c]));
  return mantissa === "1.0" ? `10${raised}` : `${mantissa}×10${raised}`;
}

// What is left of the largest value, by the log10 of the quotient.
function shareOf(log) {
  if (!(log <= 0)) return "";
  const percent = 100 * 10 ** log;
  return tr("{percent} % left", {
    percent: log === -Infinity ? "0" : percent < 0.01 ? "< 0.01" : +percent.toPrecision(2),
  });
}

/** @import { Message } from "./bytes.js" */
/** @import { Curve, FlowHeader, FlowRow } from "./headers.js" */
/** @import { Place, Tip, TimedState } from "./timeline.js" */

/** @extends {Timeline<FlowHeader, TimedState, FlowRow>} */
export class Flow extends Timeline {
  constructor(root) {
    super(root, tr("Curves over time. Left and right arrows move the step, space plays, Home and End jump."));
    root.classList.add("sv-flow");
    this.readAddress();
    this.readout = el("dl", { class: "sv-readout" });
    this.spectrum = new Spectrum();
    this.unrolled = new Unrolled((step) => this.move(step));
    this.nudge = new Nudge(
      (step) => this.send({ type: "choose", name: "nudge", word: `${step}`, at: performance.now() }),
      (x) => this.stepAt(x),
    );
    this.nudgeHere = button(
      tr("Nudge this step"),
      tr("Add 1 to the input at the chosen step, and follow what is left of it"),
      () => this.nudge.choose(this.state.step),
    );
    this.plot.append(this.nudge.root);
    this.bar = el(
      "div",
      { class: "sv-bar" },
      this.undoGroup(this.nudgeHere),
      el("div", { class: "sv-group sv-right" }, this.saver()),
    );
    root.replaceChildren(
      this.bar,
      this.time,
      this.readout,
      this.legend,
      this.plot,
      this.status,
      this.spectrum.root,
      this.unrolled.root,
      this.live,
    );
  }

  /** @param {Message<FlowHeader>} message */
  update({ header, arrays }) {
    this.header = header;
    this.arrays = Object.fromEntries(Object.entries(arrays).map(([name, { values }]) => [name, values]));
    const { state } = this;
    const anew = state.L !== header.steps;
    // A step of a shorter or longer sequence is another one.
    if (anew && (state.L || !this.placed)) state.step = header.begin ?? header.steps - 1;
    state.L = header.steps;
    this.begin = header.begin ?? header.steps - 1;
    this.zoomWithin(header.steps);
    state.step = clamp(state.step, 0, header.steps - 1);
    this.rows = header.rows;
    this.undoable(header);
    this.scrubber.max = `${state.L - 1}`;
    this.status.textContent = header.status ?? "";
    this.latest = null;
    this.viewChanged();
    this.draw();
  }

  async draw() {
    if (!(await this.ready())) return;
    const { header, state } = this;
    await this.react(figure(this, this.plot.clientWidth));
    this.heads.replaceChildren(...this.rows.map((row, k) => this.heading(row, k)));
    this.nudgeHere.hidden = header.nudge === undefined || header.steps < 2;
    this.nudge.show(header.nudge, header.steps, this.built.places[0]);
    this.drawReadout();
    this.drawLegend();
    this.place();
    await this.spectrum.draw(this.Plotly, header.spectrum, this.arrays, this.theme);
    this.spectrum.show(this.step);
    this.plot.setAttribute("aria-description", this.summary());
    this.unrolled.draw(header.unrolled && { ...header.unrolled, steps: state.L }, this.arrays);
    this.unrolled.show(this.step);
    this.drawn();
  }

  // The picture in words, from its numbers.
  summary() {
    const { header, arrays, rows, state } = this;
    const last = state.L - 1;
    /** @param {Curve} curve */
    const curve = ({ name, label }) => {
      const values = arrays[name];
      const at = values.reduce((best, v, t) => (v > values[best] || Number.isNaN(values[best]) ? t : best), 0);
      return tr("{name} from {from} at step 0 to {to} at step {last}, largest at step {at}: {most}", {
        name: label,
        from: power(values[0]),
        to: power(values[last]),
        last,
        at,
        most: power(values[at]),
      });
    };
    const says = {
      norm: () => clauses(header.curves.filter((c) => c.label).map(curve)),
      lines: (row) =>
        clauses(
          row.arrays.map(({ name, label }) => {
            const finite = arrays[name].filter(Number.isFinite);
            const between = tr("{name} between {low} and {high}", {
              name: label,
              low: number(finite.reduce((a, b) => Math.min(a, b), Infinity)),
              high: number(finite.reduce((a, b) => Math.max(a, b), -Infinity)),
            });
            return finite.length === arrays[name].length
              ? between
              : finite.length
                ? tr("{says} before it overflows", { says: between })
                : tr("{name} overflows at once", { name: label });
          }),
        ),
      states: (row) =>
        trn("{count} unit, up to {reach} in size", "{count} units, up to {reach} in size", row.width, {
          reach: number(row.reach),
        }),
    };
    return rows
      .map((row) => tr("{row}: {says}", { row: row.name, says: clauses([says[row.kind]?.(row), row.says]) }))
      .join(tr(". "));
  }

  // The curves by their strokes, each with its number at the cursor.
  drawReadout() {
    const { theme, header } = this;
    const kind = ({ dash }) => (dash === "dot" ? "dotted" : dash ? "dashed" : "solid");
    const stroke = (c) =>
      el("i", {
        class: "sv-stroke",
        style: `border-top: ${c.width ?? 2}px ${kind(c)} ${c.line === null ? theme.quiet : theme.lines[c.line]}`,
      });
    this.numbers = header.curves
      .filter((c) => c.label)
      .map((curve) => {
        const values = this.arrays[curve.name];
        const [worth, left] = [el("dd"), el("dd", { class: "sv-left" })];
        return {
          values,
          most: values.reduce((a, b) => Math.max(a, b), -Infinity),
          worth,
          left,
          root: el(
            "div",
            {},
            el("dt", {}, stroke(curve), curve.label),
            worth,
            ...(header.nudge === undefined ? [] : [left]),
          ),
        };
      });
    this.when = el("dd", { class: "sv-when" });
    this.readout.replaceChildren(
      el("div", {}, el("dt", { text: header.measure ?? tr("norm") }), this.when),
      ...this.numbers.map(({ root }) => root),
    );
  }

  drawLegend() {
    const { theme, header } = this;
    const items = [];
    if (header.curves.some((c) => this.arrays[c.name].includes(-Infinity)))
      items.push(
        el(
          "span",
          { class: "sv-note" },
          el("i", { class: "sv-stroke", style: "border-top: 2px dotted var(--sv-ink)" }),
          tr("at the foot: exactly 0"),
        ),
      );
    if (header.decades !== undefined) {
      const scale = el("i", { style: `background:${gradient(theme.magnitude)}` });
      items.push(
        el(
          "span",
          { class: "sv-key" },
          el("span", { text: power(-header.decades) }),
          scale,
          el("span", { text: tr("1: a row's largest") }),
        ),
      );
    }
    const swatch = (line, text) =>
      el("span", { class: "sv-note" }, el("i", { class: "sv-swatch", style: `background:${theme.lines[line]}` }), text);
    if (this.rows.some((row) => row.kind === "share"))
      items.push(swatch(1, tr("cell-state highway")), swatch(2, tr("the rest")));
    if (this.rows.some((row) => row.kind === "states"))
      items.push(
        el(
          "span",
          { class: "sv-key" },
          el("span", { text: "h −" }),
          el("i", { style: `background:${gradient(theme.diverging)}` }),
          el("span", { text: "+" }),
        ),
      );
    this.legend.replaceChildren(...items);
  }

  inspect(step) {
    const { header } = this;
    this.when.textContent = tr("step {step}", { step });
    for (const { values, most, worth, left } of this.numbers) {
      worth.textContent = power(values[step]);
      left.textContent = step < header.nudge ? "" : shareOf(values[step] - most);
    }
    this.nudge.place((t) => this.pixel(t));
    this.spectrum.show(step);
    this.unrolled?.show(step);
  }

  /**
   * @param {Place<FlowRow>} place
   * @returns {Tip}
   */
  tooltip({ row, step, share }) {
    const { header, arrays } = this;
    if (row.kind === "norm")
      return {
        title: tr("step {step}, {lag} before the end", { step, lag: header.steps - 1 - step }),
        lines: header.curves.filter((c) => c.label).map((c) => [c.label, power(arrays[c.name][step])]),
      };
    if (row.kind === "share")
      return {
        title: tr("step {step}", { step }),
        lines: [
          [tr("cell-state highway"), `${(100 * arrays["highway.share"][step]).toPrecision(3)} %`],
          [tr("highway norm"), power(arrays["highway.direct"][step])],
          [tr("the rest"), power(arrays["highway.rest"][step])],
        ],
      };
    if (row.kind === "lines")
      return {
        title: tr("step {step}", { step }),
        lines: row.arrays.map(({ name, label }) => [label, number(arrays[name][step], 4)]),
      };
    const unit = clamp(Math.floor(share * row.width), 0, row.width - 1);
    if (row.kind === "states")
      return {
        title: tr("{row} · unit {unit}", { row: row.name, unit }),
        lines: [[tr("step {step}", { step }), number(arrays[row.array][step * row.width + unit], 4)]],
      };
    return {
      title: tr("{row} · unit {unit}", { row: row.name, unit }),
      lines: [[tr("step {step}", { step }), power(arrays[row.array][step * row.width + unit])]],
    };
  }

  readAddress() {
    const view = new URLSearchParams(location.hash.slice(1));
    this.readCursor(view);
    this.readFolds(view);
  }

  readdressed() {
    this.readAddress();
    this.zoomWithin(this.state.L);
    this.state.step = this.placed ? clamp(this.state.step, 0, this.state.L - 1) : this.begin;
    this.draw();
  }

  viewChanged() {
    const view = new URLSearchParams();
    if (this.state.step !== this.begin) view.set("step", `${this.state.step}`);
    this.writeFolds(view);
    writeAddress(this.header.address, view);
  }

  async save(format) {
    if (!format) return;
    const layout = JSON.parse(
      JSON.stringify({
        ...this.built.layout,
        paper_bgcolor: this.theme.paper,
        margin: { ...this.built.layout.margin, t: MARGIN.top + 26 },
        height: this.built.height + 26,
      }),
    );
    const inner = this.built.height - MARGIN.top - MARGIN.bottom;
    layout.annotations = this.rows.map((row, k) => ({
      text: row.name,
      x: 0,
      xref: "paper",
      xanchor: "left",
      y: 1 - (this.built.places[k].top - MARGIN.top - 2) / inner,
      yref: "paper",
      yanchor: "bottom",
      showarrow: false,
      font: { color: this.theme.ink, size: 12 },
    }));
    await this.Plotly.downloadImage(
      { data: this.built.traces, layout },
      {
        format,
        width: layout.width,
        height: layout.height,
        scale: format === "png" ? 2 : 1,
        filename: `seqviz-${this.header.link}`,
      },
    );
  }

  destroy() {
    super.destroy();
    if (this.Plotly) this.spectrum.destroy(this.Plotly);
  }
}
