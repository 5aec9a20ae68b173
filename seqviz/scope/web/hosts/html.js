// A file of its own: one picture on a page without a server. Nobody answers the hand, so nothing is edited; the view of
// the run stands behind the # of the file's address.

import { unpack } from "../bytes.js";
import { nowhere } from "../host.js";
import { tag } from "../language.js";
import { mount } from "../panels.js";
import * as address from "./address.js";
import { keys, rethemed } from "./page.js";

/** @import { Host } from "../host.js" */

/** @type {(plotly: any) => Host} */
const hostOf = (plotly) => ({
  ...nowhere(() => Promise.resolve(plotly)),
  view: address.view,
  show: (_, view) => address.writeView(view),
  keys,
  rethemed,
  readdressed: address.listen,
});

// text: a message in base64.
/**
 * @param {HTMLElement} root
 * @param {string} text
 * @param {any} plotly
 */
export function open(root, text, plotly) {
  const data = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const message = unpack(data);
  document.documentElement.lang = tag(message.header.language);
  return mount(root, message, hostOf(plotly));
}
