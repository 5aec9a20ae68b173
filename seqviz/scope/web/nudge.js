// A mark on the input that can be dragged from step to step: there 1 is added, and what is left of it is followed.

import { el } from "./dom.js";
import { tr } from "./language.js";
import { clamp } from "./numbers.js";

const HALF = 20; // px: of the tag

export class Nudge {
  /** @type {number} the step of the message */
  chosen;
  /** @type {number} how many there are */
  steps;
  /** @type {number} where it is held now */
  at;

  // choose(step): it was let go there; follow(step): it is held there; stepAt(clientX): the step under a pointer.
  /**
   * @param {(step: number) => void} choose
   * @param {(step: number) => void} follow
   * @param {(clientX: number) => number} stepAt
   */
  constructor(choose, follow, stepAt) {
    this.choose = choose;
    this.follow = follow;
    this.root = el("div", {
      class: "sv-nudge",
      role: "slider",
      tabindex: "0",
      hidden: true,
      "aria-label": tr("The step at which 1 is added to the input"),
      title: tr("1 is added here: drag it to another step"),
      text: "+1",
    });
    const stop = (event) => {
      event.stopPropagation();
      event.preventDefault();
    };
    this.root.addEventListener("pointerdown", (event) => {
      stop(event);
      this.held = true;
      this.root.focus({ preventScroll: true });
      this.root.setPointerCapture(event.pointerId);
    });
    for (const kind of ["mousedown", "touchstart"]) this.root.addEventListener(kind, stop);
    this.root.addEventListener("pointermove", (event) => {
      if (!this.held) return;
      event.stopPropagation();
      this.to(stepAt(event.clientX));
    });
    this.root.addEventListener("pointerup", (event) => {
      event.stopPropagation();
      this.held = false;
      if (this.at !== this.chosen) choose(this.at);
    });
    this.root.addEventListener("pointercancel", () => {
      this.held = false;
      this.to(this.chosen);
    });
    this.root.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by) return;
      stop(event);
      const next = clamp(this.at + by * (event.shiftKey ? 10 : 1), 0, this.steps - 1);
      if (next === this.at) return;
      this.to(next);
      choose(next);
    });
  }

  to(step) {
    if (step === this.at) return;
    this.at = step;
    this.place(this.pixel);
    this.follow(step);
  }

  // row: where the input is drawn, {top, height}. Without a step there is nothing to nudge.
  show(step, steps, row) {
    this.root.hidden = step === undefined || steps < 2;
    if (this.root.hidden) return;
    Object.assign(this, { chosen: step, steps, at: this.held ? this.at : step });
    Object.assign(this.root.style, { top: `${row.top}px`, height: `${row.height}px` });
  }

  // pixel(step): where a step is in the picture.
  place(pixel) {
    this.pixel = pixel;
    if (this.root.hidden) return;
    const here = pixel(this.at);
    const [first, last] = [pixel(-0.5) + HALF, pixel(this.steps - 0.5) - HALF]; // its tag lies beside no row's marks
    this.root.style.left = `${here}px`;
    this.root.style.setProperty("--sv-aside", `${clamp(here, first, Math.max(first, last)) - here}px`);
    for (const [name, value] of [
      ["valuenow", this.at],
      ["valuemin", 0],
      ["valuemax", this.steps - 1],
    ])
      this.root.setAttribute(`aria-${name}`, `${value}`);
  }
}
