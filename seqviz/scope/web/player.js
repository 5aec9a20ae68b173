// Plays through the steps by itself, as fast as is asked for.

/** @import { TimedState } from "./types.js" */
/** @typedef {{state: () => TimedState, move: (step: number) => void, shown: (on: boolean) => void}} Played */

export class Player {
  /** @type {number | null} the frame that is waited for */
  frame = null;

  // state(): the step, the length and the speed of now; shown(on): whether it plays has changed.
  /** @param {Played} panel */
  constructor(panel) {
    this.panel = panel;
  }

  get on() {
    return this.frame !== null;
  }

  toggle() {
    if (this.on) this.stop();
    else this.start();
  }

  start() {
    const { panel } = this;
    panel.shown(true);
    if (panel.state().step >= panel.state().L - 1) panel.state().step = 0;
    let last = performance.now();
    const frame = (now) => {
      const { step, L, speed } = panel.state();
      const due = Math.floor(((now - last) * +speed) / 1000);
      if (due > 0) {
        last += (due * 1000) / +speed;
        panel.move(Math.min(step + due, L - 1));
        if (!this.on) return;
        if (panel.state().step >= L - 1) {
          this.stop();
          return;
        }
      }
      this.frame = requestAnimationFrame(frame);
    };
    this.frame = requestAnimationFrame(frame);
  }

  stop() {
    this.cancel();
    this.panel.shown(false);
    this.panel.move(this.panel.state().step);
  }

  cancel() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
  }
}
