// The bar of the cell page: undo, the walk through the cell, guessing, one unit or vectors, which unit.

import { button, choice, saver, segments } from "./controls.js";
import { copyLink } from "./dock.js";
import { el } from "./dom.js";
import { later, tr } from "./language.js";

const FORMS = [
  ["unit", later("One unit")],
  ["vectors", later("As vectors")],
  ["memory", later("As memory")],
];

export class CellBar {
  // host: what it lies in; undo: the group of undo and redo; unit(number), form(name): chosen; walk(by): to another
  // part, or with null to the whole cell; guess(): all values hidden or shown; gates(): back to the gates page;
  // settle(): the address says what is on the screen; save(format): the drawing as a file.
  constructor({ host, undo, unit, form, walk, guess, gates, settle, save }) {
    this.gates = gates;
    this.choose = form;
    const [unitBox, select] = choice(tr("unit"), [], (v) => unit(+v));
    this.select = select;
    this.guess = button(tr("Hide values"), tr("Let the class guess, then reveal"), guess);
    this.forms = segments(
      tr("How the equations are shown"),
      FORMS.map(([value, text]) => [value, tr(text)]),
      form,
      host.lecture,
    );
    const back = button(tr("See all units"), tr("Back to the gates page, at this step and unit"), gates);
    undo.hidden = back.hidden = !host.answers;
    this.root = el(
      "div",
      { class: "sv-bar" },
      undo,
      el(
        "div",
        { class: "sv-group" },
        button(tr("Back"), tr("The part before (b)"), () => walk(-1)),
        button(tr("Next"), tr("The next part of the cell (n)"), () => walk(1)),
        button(tr("Whole cell"), tr("Show everything at once"), () => walk(null)),
        this.guess,
      ),
      el("div", { class: "sv-group sv-right" }, back, saver(save, true), copyLink(host, settle)),
    );
    this.form = el("div", { class: "sv-group sv-form" }, this.forms.root, unitBox);
  }

  // How many units can be chosen from.
  units(count) {
    this.select.replaceChildren(
      ...Array.from({ length: count }, (_, u) => el("option", { value: `${u}`, text: `${u}` })),
    );
  }

  // keeps: whether a gate keeps a state of this cell.
  set(form, unit, guessing, keeps) {
    this.forms.set(form);
    this.forms.root.lastElementChild.toggleAttribute("hidden", !keeps);
    this.select.value = `${unit}`;
    this.guess.textContent = guessing ? tr("Reveal") : tr("Hide values");
  }
}
