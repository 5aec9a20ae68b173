// Which panel draws a message, and how it is put into an element, whatever that lies in.

import { CellView } from "./cell.js";
import { Flow } from "./flow.js";
import { Gallery } from "./gallery.js";
import { speak } from "./language.js";
import { Learning } from "./learning.js";
import { Maps } from "./maps.js";
import { Rail } from "./lesson.js";
import { Scope } from "./view.js";
import { Weights } from "./weights.js";
import { Why } from "./why.js";

/** @import { Message } from "./bytes.js" */
/** @import { Host } from "./host.js" */

const PANELS = {
  scope: Scope,
  weights: Weights,
  flow: Flow,
  cell: CellView,
  learning: Learning,
  gallery: Gallery,
  lesson: Rail,
  why: Why,
  map: Maps,
};
const mounted = new WeakMap();
const KEPT = ["state", "cell", "placed", "follow"];

// A panel writes its labels once, so another language takes another panel, which goes on from the same view.
function anew(root, old, Panel) {
  const playing = !!old.player?.on;
  old.destroy();
  mounted.delete(root);
  const place = root.cloneNode(false);
  for (const name of Object.keys(place.dataset)) delete place.dataset[name];
  root.replaceWith(place);
  const panel = new Panel(place, old.host);
  panel.playing = playing;
  for (const name of KEPT)
    if (old[name] !== undefined) panel[name] = name === "state" ? Object.assign(panel.state, old.state) : old[name];
  if (panel.time) panel.time.speed.value = panel.state.speed;
  return [place, panel];
}

// Draw a message in an element, or bring what is drawn there up to date; gives back what takes it away again.
/**
 * @param {HTMLElement} element
 * @param {Message<any>} message
 * @param {Host} host
 * @returns {() => void}
 */
export function mount(element, message, host) {
  let root = element;
  const { language, panel: kind } = message.header;
  if (!host.answers) message.header = { ...message.header, editable: false, undo: false, redo: false, reset: false };
  let panel = mounted.get(root);
  speak(language);
  if (panel && panel.language !== language) [root, panel] = anew(root, panel, PANELS[kind]);
  panel ??= new PANELS[kind](root, host);
  panel.language = language;
  mounted.set(root, panel);
  Object.assign(panel.host, host);
  panel.update(message);
  if (panel.playing) panel.player.toggle();
  panel.playing = false;
  return () => {
    panel.destroy();
    mounted.delete(root);
  };
}
