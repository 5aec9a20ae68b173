// The few controls that panels are made of: a button, a choice from a list, a choice of one of a few.

import { el } from "./dom.js";
import { tr } from "./language.js";

export const button = (text, title, action, extra = {}) =>
  el("button", {
    type: "button",
    class: "sv-button",
    title,
    "aria-label": /\p{L}/u.test(text) ? null : title,
    onclick: action,
    text,
    ...extra,
  });

/**
 * @param {string} label
 * @param {string[][]} options a value and its text each
 * @param {(value: string) => void} action
 * @returns {[HTMLLabelElement, HTMLSelectElement]}
 */
export function choice(label, options, action) {
  const select = el(
    "select",
    { class: "sv-select", "aria-label": label, onchange: () => action(select.value) },
    ...options.map(([value, text]) => el("option", { value, text })),
  );
  return [el("label", { class: "sv-choice" }, el("span", { text: label }), select), select];
}

// A choice of one of a few: arrow keys move among them and choose, as in a group of radio buttons.
/**
 * @param {string} label
 * @param {string[][]} options a value and its text each
 * @param {(value: string) => void} action
 * @param {() => boolean} lecture
 */
export function segments(label, options, action, lecture) {
  const buttons = options.map(([value, text]) =>
    el("button", {
      type: "button",
      role: "radio",
      class: "sv-segment",
      "data-value": value,
      text,
      onclick: (event) => {
        action(value);
        // In a lecture the next arrow key is for the steps; who came by keyboard stays in the group.
        if (event.detail && lecture()) event.currentTarget.blur();
      },
    }),
  );
  const root = el(
    "div",
    {
      class: "sv-segments",
      role: "radiogroup",
      "aria-label": label,
      onkeydown: (event) => {
        const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
        if (!by) return;
        event.preventDefault();
        event.stopPropagation();
        const next = buttons[(buttons.indexOf(event.target) + by + buttons.length) % buttons.length];
        next.focus();
        next.click();
      },
    },
    ...buttons,
  );
  const set = (value) =>
    buttons.forEach((b) => {
      b.setAttribute("aria-checked", `${b.dataset.value === value}`);
      b.tabIndex = b.dataset.value === value ? 0 : -1;
    });
  return { root, set };
}

// A list of the forms in which a picture can be saved; `still` where nothing in it plays.
/**
 * @param {(format: string) => void} save
 * @param {boolean} [still]
 */
export function saver(save, still = false) {
  const choose = el(
    "select",
    {
      class: "sv-select",
      "aria-label": tr("Save the picture"),
      onchange: () => {
        if (choose.value) save(choose.value);
        choose.value = "";
      },
    },
    el("option", { value: "", text: tr("Save picture") }),
    el("option", { value: "svg", text: tr("as SVG") }),
    el("option", { value: "png", text: tr("as PNG") }),
    ...(still ? [] : [el("option", { value: "gif", text: tr("playing, as GIF") })]),
  );
  return choose;
}

// Undo and redo of the page's experiment, as buttons; the keys follow.
export class UndoButtons {
  /** @param {(type: string) => void} say */
  constructor(say, ...more) {
    this.undo = button("↶", tr("Undo the last change (Ctrl+Z)"), () => say("undo"));
    this.redo = button("↷", tr("Redo (Ctrl+Shift+Z)"), () => say("redo"));
    this.root = el("div", { class: "sv-group sv-undo" }, this.undo, this.redo, ...more);
  }

  // home: what takes the keys when the button that had them can be pressed no more.
  /**
   * @param {{undo?: boolean, redo?: boolean}} header
   * @param {HTMLElement | SVGElement} home
   */
  set({ undo, redo }, home) {
    const held = [this.undo, this.redo].find((each) => each === document.activeElement);
    this.undo.disabled = !undo;
    this.redo.disabled = !redo;
    if (held && (document.activeElement !== held || held.disabled)) home.focus({ preventScroll: true });
  }
}
