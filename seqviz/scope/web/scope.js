// The thin adapter to Streamlit: which panel to mount, and how its words reach the server.

import { unpack } from "./bytes.js";
import { CellView } from "./cell.js";
import { Flow } from "./flow.js";
import { frame } from "./frame.js";
import { libraryAt, speak } from "./kit.js";
import { Learning } from "./learning.js";
import { hear, keep, leave, libraryOf, say, tail } from "./tab.js";
import { Scope } from "./view.js";
import { Weights } from "./weights.js";

const PANELS = { scope: Scope, weights: Weights, flow: Flow, cell: CellView, learning: Learning };
const mounted = new WeakMap();
const KEPT = ["state", "cell", "placed", "follow"];

// A panel writes its labels once, so another language takes another panel, which goes on from the same view.
function anew(root, old, Panel) {
  old.destroy();
  mounted.delete(root);
  const place = root.cloneNode(false);
  for (const name of Object.keys(place.dataset)) delete place.dataset[name];
  root.replaceWith(place);
  const panel = new Panel(place);
  panel.playing = !!old.player?.on;
  for (const name of KEPT)
    if (old[name] !== undefined) panel[name] = name === "state" ? Object.assign(panel.state, old.state) : old[name];
  if (panel.time) panel.time.speed.value = panel.state.speed;
  return [place, panel];
}

export default function ({ data, parentElement, setTriggerValue }) {
  let root = parentElement.querySelector(".sv-root") ?? parentElement;
  const message = unpack(data);
  const { language, panel: kind } = message.header;
  let panel = mounted.get(root);
  const about = tail(data);
  const send = (sent) => setTriggerValue("edit", sent);
  if (about) libraryAt(libraryOf(about));
  speak(language);
  frame(language);
  if (kind === "tab") {
    keep(send);
    hear(about, send);
    return undefined;
  }
  if (panel && panel.language !== language) [root, panel] = anew(root, panel, PANELS[kind]);
  panel ??= new PANELS[kind](root);
  panel.language = language;
  mounted.set(root, panel);
  panel.send = about ? (event) => say(about.key, event) : send;
  panel.update(message);
  if (about) hear(about, send);
  if (panel.playing) panel.player.toggle();
  panel.playing = false;
  return () => {
    if (about) leave(about.key);
    panel.destroy();
    mounted.delete(root);
  };
}
