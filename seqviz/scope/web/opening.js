// The story that the app opens on plays by itself, once and until somebody does something; nobody who asks for less
// motion is played to.

import { calm } from "./motion.js";

const SPEED = "6"; // steps a second

/** @param {EventTarget | null} target */
const onPlay = (target) => target instanceof Element && !!target.closest(".sv-play");

// Whether this is an address from before there was a story: a place in a run, and not a word of which run.
/**
 * @param {{opening?: boolean}} header
 * @param {import("./host.js").Host} host
 */
export const before = ({ opening }, host) => !!opening && host.view().size > 0 && !host.named();

export class Opening {
  touched = false; // whether somebody has done something
  played = false;
  /** @type {import("./player.js").Player | null} what plays by itself */
  playing = null;

  /** @param {import("./host.js").Host} host */
  constructor(host) {
    this.unlisten = host.touched((event) => this.heard(event));
  }

  // Space and the play button stop it themselves.
  /** @param {Event} event */
  heard(event) {
    const { playing } = this;
    this.touched = true;
    this.playing = null;
    const own = event instanceof KeyboardEvent ? event.key === " " : onPlay(event.target);
    if (playing?.on && !own) playing.stop();
  }

  /** @param {import("./view.js").Scope} scope */
  begin(scope) {
    if (!scope.header.opening || this.touched || this.played || calm()) return;
    this.played = true;
    this.playing = scope.player;
    scope.state.speed = scope.time.speed.value = SPEED;
    scope.player.start();
  }

  destroy() {
    this.unlisten();
  }
}
