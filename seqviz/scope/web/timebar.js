// What says which step it is, and moves it: a play button, a scrubber, a clock, the speed, a chip a step.

import { button, choice } from "./controls.js";
import { el, visible } from "./dom.js";
import { tr, trn } from "./language.js";

const SPEEDS = ["4", "6", "12", "30", "60"];
const [CHIPS, NUMBERED] = [64, 32]; // steps; more have no room for a chip each, or for its number

export class TimeBar {
  /** @type {number | null} the step that is shown; null until it has been */
  latest = null;

  // place: what the scrubber moves through; by(steps), to(step): a move; toggle(): play or stop; speed(text).
  constructor(place, { by, to, toggle, speed }) {
    this.to = to;
    this.scrubber = el("input", {
      type: "range",
      min: "0",
      class: "sv-scrubber",
      "aria-label": place,
      oninput: () => to(+this.scrubber.value),
    });
    this.clock = el("output", { class: "sv-clock" });
    this.play = button("▶", tr("Play through time (space)"), toggle);
    this.play.classList.add("sv-play");
    this.play.setAttribute("aria-pressed", "false");
    this.chips = el("div", { class: "sv-chips", "aria-hidden": "true" });
    const speeds = SPEEDS.map((count) => [count, trn("{count} step/s", "{count} steps/s", count)]);
    const [speedBox, select] = choice(tr("speed"), speeds, speed);
    this.speed = select;
    this.root = el(
      "div",
      { class: "sv-time" },
      this.play,
      button("‹", tr("One step back (left arrow)"), () => by(-1)),
      button("›", tr("One step on (right arrow)"), () => by(1)),
      el("label", { class: "sv-choice sv-place" }, el("span", { text: place }), this.scrubber),
      this.clock,
      speedBox,
    );
  }

  // The scrubber's range: L steps. What is shown must be shown anew.
  reach(L) {
    this.scrubber.max = `${L - 1}`;
    this.latest = null;
  }

  // A chip a step, with its character or its number; from the step `secret` on they are to be guessed.
  relabel(labels, L, secret = Infinity) {
    this.chips.hidden = L > (labels ? CHIPS : NUMBERED);
    if (this.chips.hidden) return;
    if (this.chips.childElementCount !== L)
      this.chips.replaceChildren(
        ...Array.from({ length: L }, (_, t) => el("span", { class: "sv-chip", onclick: () => this.to(t) })),
      );
    const chip = this.chips.firstElementChild;
    const wide = labels ? 0 : `${L - 1}`.length * 0.65 * parseFloat(getComputedStyle(chip).fontSize);
    const every = Math.max(1, Math.ceil(wide / (chip.clientWidth || wide || 1)));
    const said = (t) => (labels ? (t >= secret ? "?" : visible(labels[t])) : t % every ? "" : `${t}`);
    [...this.chips.children].forEach((each, t) => {
      each.textContent = said(t);
      each.classList.remove("sv-on");
    });
    this.latest = null;
  }

  // Everything that says which of L steps it is, and what it is called.
  tick(step, L, mark = "") {
    this.scrubber.value = `${step}`;
    this.clock.textContent = `${step} / ${L - 1}${mark && " "}`;
    if (mark) this.clock.append(el("span", { text: `(${mark})` }));
    this.chips.children[this.latest ?? 0]?.classList.remove("sv-on");
    this.chips.children[step]?.classList.add("sv-on");
    this.latest = step;
  }

  playing(on) {
    this.play.textContent = on ? "❚❚" : "▶";
    this.play.setAttribute("aria-pressed", `${on}`);
  }
}
