// This tab's line to the server. What the hand did is sent until the server has said that it heard it, and is kept
// until the address says it, too. Where the session is gone (the server was started again, or nobody was connected for
// too long), the page is run anew from its address in the session that took its place, and what the address does not
// say is sent again there.

import { sentences, tr, trn } from "../language.js";
import { view as shown, write, written } from "./address.js";
import { remember, recall } from "./keep.js";

let load = `${Math.random().toString(36).slice(2)}${Date.now().toString(36)}`;
const pictures = new Map();
const WATCH = 3000;
const LONG = 10000;
const PATIENT = 60000;
const RELOADED = "seqviz.reloaded";
const UNHEARD = "seqviz.unheard";

let session = "";
let folder = "";
let keeper = null;
let broken = false;
let touched = false;
let asking = false;
let tries = 0;
let asked = 0;
let timer = 0;

const MAGIC = 0x20626174;

// What stands after the picture in a message; nothing where its host has no line of this kind.
/** @import { Tail } from "../headers.js" */

/**
 * @param {Uint8Array} message
 * @returns {Tail | null}
 */
export function tail(message) {
  const end = message.byteOffset + message.byteLength - 8;
  const view = new DataView(message.buffer, end, 8);
  if (view.getUint32(0, true) !== MAGIC) return null;
  const size = view.getUint32(4, true);
  return JSON.parse(new TextDecoder().decode(new Uint8Array(message.buffer, end - size, size)));
}

const beside = (path) => new URL(`../../../../${path}`, import.meta.url).href;
/** @param {Tail} about */
export const libraryOf = (about) => beside(about.plotly);

function picture(key) {
  if (!pictures.has(key)) pictures.set(key, { unheard: [], heard: [], last: 0, send: null, told: "", at: 0 });
  return pictures.get(key);
}

const waiting = () => [...pictures.values()].reduce((sum, { unheard }) => sum + unheard.length, 0);

function flush(one) {
  if (!one.unheard.length || !one.send) return;
  Object.assign(one, { told: session, at: performance.now() });
  one.send({ load, events: one.unheard });
  watch();
}

// What the hand did in a picture.
export function say(key, event) {
  const one = picture(key);
  one.unheard.push([++one.last, event]);
  flush(one);
}

// A message has come for a picture: whose session it is from, and what has been heard there.
/**
 * @param {Tail} about
 * @param {(sent: object) => void} send
 */
export function hear(about, send) {
  const { key } = about;
  const one = picture(key);
  one.send = send;
  if (session !== about.session) renewed(about);
  if (about.load === load) {
    for (const [name, number] of Object.entries(about.heard)) {
      const here = picture(name);
      here.heard.push(...here.unheard.filter(([k]) => k <= number));
      here.unheard = here.unheard.filter(([k]) => k > number);
    }
  }
  if (one.told !== session) flush(one);
  shelve(about);
  if (about.wants.length) recall(about.wants).then((codes) => say(key, { codes }));
}

let keeps = true;
// What the browser is to keep. Where it cannot (a full disk, blocked storage) the page says so, until it can again.
/** @param {Tail} about */
async function shelve(about) {
  const place = (digest) => beside(`${about.folder}/kept/${digest}`);
  const kept = await Promise.all(about.keep.map((digest) => remember(digest, place(digest))));
  const all = kept.every(Boolean);
  if (!kept.length || all === keeps) return;
  keeps = all;
  say("tab", { keeps });
}

let places = 0;
// The address of a page whose pictures have none of their own. It names only what can be brought back: it waits for
// what the browser is to keep.
/** @param {Tail} about */
export async function settle(about) {
  const [mine, page] = [++places, location.pathname];
  if (about.keep.length) await shelve(about);
  if (mine !== places || page !== location.pathname) return;
  write(about.place.address, about.place.fields, shown());
  addressed(about);
}

// The address now says what was on the screen when a message was drawn.
/** @param {Tail} about */
export function addressed(about) {
  if (about.load !== load) return;
  for (const [name, number] of Object.entries(about.heard)) {
    const here = picture(name);
    here.heard = here.heard.filter(([k]) => k > number);
  }
}

// What no address says yet has to be heard once more, in another session.
function takeBack() {
  for (const one of pictures.values()) {
    one.unheard = [...one.heard, ...one.unheard];
    one.heard = [];
  }
}

export function leave(key) {
  picture(key).send = null;
}

// The keeper is a component outside every part of the page that runs by itself: what it sends runs all of the page.
export function keep(send) {
  keeper = send;
  observe();
}

/** @param {Tail} about */
function renewed(about) {
  const first = !session;
  ({ session, folder } = about);
  if (first) return;
  takeBack();
  const again = waiting();
  notice(
    sentences([
      tr("The connection to this page's memory was lost. The page was set up anew from its address."),
      again && trn("{count} change was sent again.", "{count} changes were sent again.", again),
      touched && tr("What was chosen in the controls meanwhile is lost."),
    ]),
  );
  [broken, touched, tries] = [false, false, 0];
}

function watch() {
  clearTimeout(timer);
  if (waiting()) timer = setTimeout(check, WATCH);
}

// Is the session that this page was drawn by still there?
async function check() {
  if (asking || !session) return;
  asking = true;
  const about = session;
  const place = beside(`${folder}/session/${about}`);
  const answer = await fetch(place, { cache: "no-store" }).then(
    (r) => r.text(),
    () => "",
  );
  asking = false;
  if (session === about) {
    if (answer === "gone") anew(about);
    if (answer === "here") resend();
  }
  watch();
}

function resend() {
  const late = performance.now() - LONG;
  for (const one of pictures.values()) if (broken || one.at < late) flush(one);
  broken = false;
}

// Run the whole page in the session that took the place of the lost one; if that does not help, load it again, once.
function anew(lost) {
  const now = performance.now();
  const patience = running() ? PATIENT : LONG;
  if (!tries || now - asked > patience) {
    if (tries >= 3) {
      reload();
      return;
    }
    [tries, asked] = [tries + 1, now];
    keeper?.({ load, events: [], again: tries });
  }
  setTimeout(() => {
    if (session === lost) check();
  }, LONG);
}

// A browser may keep a framed page from storing anything; then there is no reload that could loop, either.
function storage() {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

function reload() {
  const store = storage();
  const before = store ? +(store.getItem(RELOADED) ?? 0) : Date.now();
  if (Date.now() - before < PATIENT) {
    notice(tr("The page could not be set up anew. Load it again."));
    return;
  }
  store.setItem(RELOADED, `${Date.now()}`);
  location.reload();
}

const here = () => location.pathname + location.search;

// What was not heard, or is in no address yet, outlives a reload, whoever asked for it, with its numbers.
function leaveBehind() {
  const store = storage();
  const drawn = [...pictures].filter(([key]) => key !== "tab");
  const left = drawn.map(([key, { heard, unheard, last }]) => [key, [...heard, ...unheard], last]);
  if (left.some(([, events]) => events.length)) store?.setItem(UNHEARD, JSON.stringify({ here: here(), load, left }));
  else store?.removeItem(UNHEARD);
}

// After a reload of the same address: the same name and numbers, so that nothing counts twice.
function resume() {
  const store = storage();
  const text = store?.getItem(UNHEARD);
  store?.removeItem(UNHEARD);
  const kept = text && JSON.parse(text);
  if (!kept || kept.here !== here()) return;
  load = kept.load;
  for (const [key, unheard, last] of kept.left) Object.assign(picture(key), { unheard, last });
}
// --- Streamlit's page ---------------------------------------------------------------------------------

/** @returns {HTMLElement | null} */
const app = () => document.querySelector("[data-testid=stApp]");
const running = () => app()?.dataset.testScriptState === "running";
const connected = () => (app()?.dataset.testConnectionState ?? "CONNECTED") === "CONNECTED";
// Streamlit keeps the address as it last heard of it, and would run a lost page from that. Where somebody has gone Back
// it reads the address itself, and without a connection it does no more than that.
function reread() {
  if (written() === location.search) window.dispatchEvent(new PopStateEvent("popstate", { state: history.state }));
}

const observer = new MutationObserver(() => {
  if (!connected()) {
    if (!broken) reread();
    broken = true;
  } else if (broken) check();
});
let observed = null;

function observe() {
  if (observed === app()) return;
  observed = app();
  observer.disconnect();
  if (observed) observer.observe(observed, { attributes: true, attributeFilter: ["data-test-connection-state"] });
}

// Streamlit forgets what is chosen in its own controls while there is no connection.
for (const kind of ["input", "change", "click"]) {
  document.addEventListener(
    kind,
    ({ target }) => {
      if (!(target instanceof Element)) return;
      if (!connected() && target.closest(".stMain") && !target.closest(".sv-root")) touched = true;
    },
    true,
  );
}

let note = null;
function notice(text) {
  note?.remove();
  note = document.createElement("div");
  note.className = "sv-notice";
  note.setAttribute("role", "status");
  note.textContent = text;
  note.addEventListener("click", () => note.remove());
  document.body.append(note);
  setTimeout(() => note.remove(), 20000);
}

window.addEventListener("pagehide", leaveBehind);
resume();
