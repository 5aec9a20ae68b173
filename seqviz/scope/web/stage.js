// A lecture: the picture fills the window, and its keys stand at the foot. All keys work without it too.

import { button } from "./controls.js";
import { el } from "./dom.js";
import { later, tr } from "./language.js";

const COMMON = [
  ["space", later("play")],
  ["← →", later("step")],
];
const OWN = {
  scope: [
    ["↑ ↓", later("unit")],
    ["Enter", later("cell")],
  ],
  cell: [
    ["↑ ↓", later("unit")],
    ["n b", later("parts of the cell")],
    ["v", later("as vectors")],
    ["Enter", later("all units")],
  ],
  learning: [],
  flow: [
    ["↑ ↓", later("other pictures")],
    ["s", later("shuffle, on Compare")],
  ],
};
const ENDING = [
  ["h", later("hide values")],
  ["1–9", later("example")],
  ["?", later("all keys")],
];
const PLAYED = ENDING.filter(([keys]) => keys !== "1–9");
const MORE = [
  ["Home End", later("first and last step")],
  ["Shift ← →", later("ten steps")],
  ["PageUp PageDown", later("step, with a clicker, in a lecture")],
  ["Ctrl Z", later("undo")],
  ["f", later("lecture: fill the window")],
  ["Esc", later("leave the lecture")],
];

/** @param {string[]} hotkey */
const line = ([keys, says]) =>
  el("span", { class: "sv-hotkey" }, el("kbd", { text: keys === "space" ? tr("space") : keys }), tr(says));

// The keys of a kind of panel, as a line at the foot of a lecture, and all of them in a dialog.
export class KeyHelp {
  /** @param {keyof OWN} kind */
  constructor(kind) {
    this.line = el("div", { class: "sv-keys", "aria-hidden": "true" });
    this.list = el("div", { class: "sv-keylist" });
    const close = button(tr("Close"), "", () => this.dialog.close());
    this.dialog = el(
      "dialog",
      { class: "sv-help", "aria-label": tr("Keys") },
      el("h2", { text: tr("Keys") }),
      this.list,
      close,
    );
    this.open = button("?", tr("All keys (?)"), () => this.show());
    this.open.classList.add("sv-help-open");
    this.of(kind);
  }

  // Name the keys of a kind of panel.
  /** @param {keyof OWN} kind */
  of(kind) {
    const shown = [...COMMON, ...OWN[kind], ...(kind === "learning" ? PLAYED : ENDING)];
    const lines = shown.map(line);
    this.line.replaceChildren(el("div", { class: "sv-key-row" }, ...lines.slice(0, -1)), lines.at(-1));
    this.list.replaceChildren(...[...shown.slice(0, -1), ...MORE].map(line));
  }

  show() {
    if (!this.dialog.open) this.dialog.showModal();
  }
}
