// The bar at the foot of the window: what plays, and what a picture can be asked for. On a phone what plays stays
// there, under a thumb, and the rest stands below the picture.

import { button } from "./controls.js";
import { el } from "./dom.js";
import { tr } from "./language.js";

const SAID = 1600; // ms

/** @import { Host } from "./host.js" */

// settle(): the address says what is on the screen.
/**
 * @param {Host} host
 * @param {() => void} settle
 */
export function copyLink(host, settle) {
  const label = tr("Copy link");
  const copy = button(label, tr("Copy the address of what is on the screen"), async () => {
    settle();
    if (await host.share()) copy.textContent = tr("Copied");
    setTimeout(() => (copy.textContent = label), SAID);
  });
  copy.hidden = !host.share;
  return copy;
}

/**
 * @param {HTMLElement} time what plays
 * @param {HTMLElement} bar the rest
 * @param {import("./stage.js").KeyHelp} help
 */
export function dock(time, bar, help) {
  bar.append(help.open);
  return el("div", { class: "sv-foot" }, el("div", { class: "sv-dock" }, time, bar), help.line, help.dialog);
}
