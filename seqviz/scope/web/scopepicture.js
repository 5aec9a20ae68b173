// The scope's picture and what stands around it, drawn anew or brought up to date, whichever is less.

import { el } from "./dom.js";
import { sentences, tr } from "./language.js";
import { unitOrder } from "./order.js";
import { figure } from "./picture.js";
import { restyled } from "./restyle.js";
import { lineRange, rangeText } from "./rows.js";
import { endOf, scopeLegend } from "./scopelegend.js";
import { changes } from "./scopemarks.js";

export class ScopePicture {
  /** @type {string | undefined} the layout that is drawn */
  key;
  /** @type {string | undefined} the order of its units */
  order;
  /** @type {"new" | "painted" | "drawn"} what the numbers of the next picture are to the one that is shown */
  told = "new";

  /** @param {import("./view.js").Scope} scope */
  constructor(scope) {
    this.scope = scope;
  }

  async draw(fresh) {
    const { scope } = this;
    const { state, rows, shown } = scope;
    state.order = unitOrder(scope.now.h, state.L, state.hidden, state.sort);
    const floor = (row) => (state.view === "difference" ? [-0.1, 0.1] : row.floor);
    for (const row of rows)
      if (row.kind === "line" && !scope.pen.on) state.ranges[row.signal] = lineRange(shown[row.signal], floor(row));
    const [key, order] = [this.layoutKey(), state.order.join()];
    const same = !fresh && key === this.key;
    const told = order === this.order ? this.told : "new";
    this.told = "new";
    if (!same) await this.rebuild(key);
    else if (told === "painted") scope.draft.whole = true;
    else await this.redraw(true, told === "new");
    this.around();
    scope.place();
    this.order = order;
    scope.drawn();
  }

  // Whatever, when it changes, needs another picture and not only other numbers.
  layoutKey() {
    const { header, state, rows, plot, theme } = this.scope;
    const shape = rows.map((r) => [r.signal, r.kind, r.width]);
    const page = [plot.clientWidth, state.room, theme.dark, theme.label];
    const { L, hidden, labels, marks, folded } = state;
    return JSON.stringify([header.cell, header.layer, L, hidden, shape, [...folded], page, labels, marks]);
  }

  async rebuild(key) {
    const { scope } = this;
    const { seen } = scope.draft;
    const { rows, shown, state, theme, plot } = scope;
    await scope.area.react(figure(rows, shown, state, theme, plot.clientWidth), state.L);
    scope.draft.takenOver(seen);
    this.key = key;
  }

  // New numbers in the same picture. `whole`: its axes too; `numbers` false: only those.
  async redraw(whole, numbers = true) {
    const { scope } = this;
    const { area, rows, shown, state, theme } = scope;
    const { update, relayout, traces } = restyled(area.built, rows, shown, state, theme, whole);
    const { seen } = scope.draft;
    if (numbers) await area.Plotly.update(area.graph, update, relayout, traces);
    else if (Object.keys(relayout).length) await area.Plotly.relayout(area.graph, relayout);
    if (numbers) scope.draft.takenOver(seen);
    scope.place();
  }

  // Headings, legend and marks.
  around() {
    const { scope } = this;
    const { header, rows, shown, state, area } = scope;
    scope.sayings = state.view === "now"; // they describe the present run
    // How far a state's colours reach stands at its scale.
    const reach = (row) =>
      state.view === "now" && row.kind === "state" ? "" : rangeText(row, shown[row.signal], state);
    const range = (row) => el("span", { class: "sv-range", text: reach(row) });
    area.heads.replaceChildren(...rows.map((row, k) => scope.heading(row, k, range(row))));
    scope.ends.draw(
      rows.map((row) => endOf(row, shown[row.signal], state, scope.theme)),
      area.built,
    );
    const says = rows.map((row) => tr("{row}: {says}", { row: row.name, says: row.says ?? "" }));
    scope.plot.setAttribute("aria-description", sentences(says));
    area.marks.replaceChildren(...changes(header, rows, area.built.places, state));
    scope.legend.replaceChildren(...scopeLegend(header, rows, shown, state, scope.theme));
  }
}
