// The scope's bar: undo, reset, the baseline, the order of the units, saving.

import { button, choice, saver, segments } from "./controls.js";
import { copyLink } from "./dock.js";
import { el } from "./dom.js";
import { later, tr } from "./language.js";

/** @import { ScopeHeader } from "./headers.js" */

export const VIEWS = [
  ["now", later("Now")],
  ["baseline", later("Baseline")],
  ["difference", later("Difference")],
];
export const ORDERS = [
  ["index", later("units by index")],
  ["similarity", later("units by similarity")],
  ["mean", later("units by mean")],
];
const SORTED = 3; // units; fewer have no order to speak of
const said = (options) => options.map(([value, text]) => [value, tr(text)]);

export class ScopeBar {
  // host: what it lies in; say(type): to the server; change(part): of the view; save(format); undo(...more): the group
  // of undo and redo; settle(): the address says what is on the screen.
  constructor({ host, say, change, save, undo, settle }) {
    this.answers = host.answers;
    this.reset = button(tr("Reset weights"), tr("Take back every weight edit: the same initial weights again"), () =>
      say("reset"),
    );
    this.pin = button(tr("Pin as baseline"), tr("Keep this run to compare the next ones with"), () => say("pin"));
    const [orderBox, order] = choice(tr("units by"), said(ORDERS), (sort) => change({ sort }));
    this.order = order;
    this.orders = orderBox;
    this.views = segments(tr("Which run is shown"), said(VIEWS), (view) => change({ view }), host.lecture);
    this.undo = undo(this.reset);
    this.root = el(
      "div",
      { class: "sv-bar" },
      this.undo,
      el("div", { class: "sv-group" }, this.pin, this.views.root),
      el("div", { class: "sv-group sv-right" }, orderBox, saver(save), copyLink(host, settle)),
    );
  }

  /**
   * @param {ScopeHeader} header
   * @param {{view: string, sort: string}} state
   * @param {boolean} compared whether there is a baseline
   */
  set(header, state, compared) {
    this.root.hidden = !!header.plain;
    this.undo.hidden = this.pin.hidden = !this.answers;
    this.reset.disabled = this.reset.hidden = !header.reset;
    this.pin.textContent = compared ? tr("Pin again") : tr("Pin as baseline");
    this.views.root.hidden = !compared;
    this.views.set(state.view);
    this.order.value = state.sort;
    this.orders.hidden = header.hidden < SORTED;
  }
}
