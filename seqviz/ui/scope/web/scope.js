// The thin adapter to Streamlit: which panel to mount, and how its words reach the server.

import { unpack } from "./bytes.js";
import { CellView } from "./cell.js";
import { Flow } from "./flow.js";
import { Learning } from "./learning.js";
import { Scope } from "./view.js";
import { Weights } from "./weights.js";

const PANELS = { scope: Scope, weights: Weights, flow: Flow, cell: CellView, learning: Learning };
const mounted = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".sv-root") ?? parentElement;
  const message = unpack(data);
  let panel = mounted.get(root);
  if (!panel) {
    panel = new PANELS[message.header.panel](root);
    mounted.set(root, panel);
  }
  panel.send = (event) => setTriggerValue("edit", event);
  panel.update(message);
  return () => {
    panel.destroy();
    mounted.delete(root);
  };
}
