// A cell of a notebook, by the contract of anywidget: the page around it is somebody else's, and nothing of it is
// touched.

import { unpack } from "../bytes.js";
import { nowhere } from "../host.js";
import { mount } from "../panels.js";

/** @import { Host } from "../host.js" */

/**
 * @param {{get: (name: string) => any, set: (name: string, value: any) => void, save_changes: () => void,
 *   on: (event: string, heard: () => void) => void, off: (event: string, heard: () => void) => void}} model
 * @returns {Host}
 */
const hostOf = (model) => ({
  ...nowhere(() => Promise.resolve(/** @type {any} */ (globalThis).Plotly)),
  send: (event) => {
    model.set("event", event);
    model.save_changes();
  },
});

export function render({ model, el: place }) {
  const root = document.createElement("div");
  root.className = "sv-root";
  place.dataset.lmSuppressShortcuts = "true"; // JupyterLab's own keys
  place.append(root);
  const message = () => {
    const { buffer, byteOffset, byteLength } = model.get("message");
    return unpack(new Uint8Array(buffer, byteOffset, byteLength));
  };
  let gone = () => {};
  const draw = () => {
    gone = mount(/** @type {HTMLElement} */ (place.querySelector(".sv-root")), message(), hostOf(model));
  };
  draw();
  model.on("change:message", draw);
  return () => {
    model.off("change:message", draw);
    gone();
  };
}
