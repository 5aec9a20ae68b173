// The thin adapter to Streamlit: a component's data in, what the hand did out, and the tab that it lies in.

import { unpack } from "../bytes.js";
import { speak } from "../language.js";
import { mount } from "../panels.js";
import * as address from "./address.js";
import { frame } from "./frame.js";
import { keys, resized, rethemed, touched, typed } from "./page.js";
import { plotlyFrom } from "./plotly.js";
import { room } from "./room.js";
import { addressed, hear, keep, leave, libraryOf, say, settle, tail } from "./tab.js";

/** @import { Tail } from "../headers.js" */
/** @import { Host } from "../host.js" */

const BESIDE = new URL("../plotly.min.js", import.meta.url).href;

/**
 * @param {Tail | null} about
 * @param {(sent: object) => void} send
 * @param {string} said the address in the message that is drawn
 * @returns {Host}
 */
const hostOf = (about, send, said) => ({
  send: about ? (event) => say(about.key, event) : send,
  answers: true,
  plotly: () => plotlyFrom(about ? libraryOf(about) : BESIDE),
  view: address.view,
  show: (header, view) => {
    address.write(header.address, header.fields, view);
    if (about && header.address === said) addressed(about);
  },
  address: address.whole,
  named: address.named,
  lecture: address.lecture,
  stage: () => /** @type {HTMLElement | null} */ (document.querySelector(".st-key-lecture input"))?.click(),
  share: address.share,
  room,
  resized,
  touched,
  typed,
  keys,
  readdressed: address.listen,
  rethemed,
});

export default function ({ data, parentElement, setTriggerValue }) {
  const message = unpack(data);
  const { language, panel, link, address: said } = message.header;
  const about = tail(data);
  if (about?.place) settle(about);
  const send = (sent) => setTriggerValue("edit", sent);
  speak(language);
  frame(language);
  if (panel === "tab") {
    keep(send);
    hear(about, send);
    return undefined;
  }
  const root = parentElement.querySelector(".sv-root") ?? parentElement;
  // A run that somebody brought is looked at: nobody computes it anew.
  if (about) hear(about, send);
  const gone = mount(root, message, { ...hostOf(about, send, said), answers: link !== "run" });
  return () => {
    if (about) leave(about.key);
    gone();
  };
}
