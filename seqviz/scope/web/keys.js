// The keys of a picture over time: in it, and from the rest of the page while nothing else there needs them.

import { inLesson } from "./spotlight.js";

const PAGES = ["PageUp", "PageDown"];
const SIDEWAYS = ["ArrowLeft", "ArrowRight"];
const UPWARDS = ["ArrowUp", "ArrowDown"];
const TYPED = "input:not([type=range], [type=checkbox], [type=radio]), textarea";
// What has a use of its own for arrows, and for space.
const MOVED =
  ["radio", "radiogroup", "tab", "tablist", "slider", "listbox", "option", "combobox", "menu", "menuitem", "grid"]
    .map((role) => `[role=${role}]`)
    .join(", ") + `, ${TYPED}, input[type=radio], input[type=range], select, [contenteditable], canvas, audio, video`;
const TEXTS = `${TYPED}, select, [contenteditable]`;
const LETTERS = ["h", "f", "s", "?"];
const PRESSED = "button, summary, a, input, [role=button], [role=radio], [role=switch], [role=checkbox]";

export class Keys {
  // panel: a Timeline.
  /** @param {any} panel */
  constructor(panel) {
    this.panel = panel;
    panel.root.addEventListener("keydown", (e) => this.pressed(e));
  }

  // Whether the field under the focus needs a key for itself.
  needed({ target, key }) {
    const field = target.closest("input, select, textarea");
    if (!field) return false;
    if (PAGES.includes(key)) return field.matches(TYPED);
    // A notebook takes the arrows of a slider away; the scrubber's are ours wherever it lies.
    if (field === this.panel.time.scrubber) return false;
    return !field.matches("[type=checkbox]") || key === " ";
  }

  pressed(event) {
    if (event.altKey || this.needed(event) || event.target.closest("dialog[open]")) return;
    const action = event.ctrlKey || event.metaKey ? this.undoing(event) : this.moving(event);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  moving(event) {
    const { panel } = this;
    const { step, L } = panel.state;
    const jump = event.shiftKey ? 10 : 1;
    const actions = {
      ArrowLeft: () => panel.move(step - jump),
      ArrowRight: () => panel.move(step + jump),
      ...(inLesson() ? {} : { PageUp: () => panel.move(step - 1), PageDown: () => panel.move(step + 1) }),
      Home: () => panel.move(0),
      End: () => panel.move(L - 1),
      ...panel.extraKeys(event, jump),
    };
    if (event.key === " " && !event.target.closest("button")) actions[" "] = () => panel.player.toggle();
    return actions[event.key] ?? (event.shiftKey && event.key !== "?" ? undefined : this.common(event.key));
  }

  // What every page has.
  common(key) {
    const { panel } = this;
    const actions = {
      h: () => panel.hide(),
      f: () => panel.host.stage(),
      "?": () => panel.help?.show(),
      ...(panel.host.lecture() ? { Escape: () => panel.host.stage() } : {}),
    };
    return actions[key];
  }

  undoing({ key, shiftKey }) {
    const { undoing } = this.panel;
    if (!undoing) return undefined;
    const redo = () => undoing.redo.click();
    return { z: shiftKey ? redo : () => undoing.undo.click(), Z: redo, y: redo }[key];
  }

  // Keys from outside of the picture: whatever the buttons promise works before anything has the focus, and beside
  // whatever has no use of its own for that key.
  elsewhere(event) {
    const { target, key } = event;
    const control = event.ctrlKey || event.metaKey;
    const known = control ? ["z", "Z", "y"].includes(key) && !!this.panel.undoing : this.promised.includes(key);
    if (!known || target.closest(LETTERS.includes(key) ? TEXTS : MOVED)) return;
    if ([" ", "Enter"].includes(key) && target.closest(PRESSED)) return;
    this.pressed(event);
  }

  // Keys that need no focus. A clicker's page keys scroll, but for a lecture.
  get promised() {
    const stage = this.panel.host.lecture() ? [...PAGES, "Escape"] : [];
    return [...SIDEWAYS, ...UPWARDS, " ", ...LETTERS, "Home", "End", ...stage, ...this.panel.anywhere];
  }
}
