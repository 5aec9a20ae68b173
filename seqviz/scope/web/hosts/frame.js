// What Streamlit itself says around the pictures. It knows one language, so its words are looked up whenever it has
// drawn something, and found again by the same list when the language is switched back.

import { catalogue, later, tag } from "../language.js";

const SAID = [
  later("Skip to main content"),
  later("App pages"),
  later("Help for {x}"),
  later("Link to heading"),
  later("Choose an option"),
  later("Choose options"),
  later("Open"),
  later("Close"),
  later("Clear value"),
  later("Clear all"),
  later("Decrement"),
  later("Increment"),
  later("file upload"),
  later("Upload"),
  later("{size} per file"),
  later("Show/hide columns"),
  later("Download as CSV"),
  later("Search"),
  later("Fullscreen"),
  later("Close fullscreen"),
  later("Copy to clipboard"),
  later("{x} — start"),
  later("{x} — end"),
  later("Press Enter to apply"),
  later("Press Ctrl+Enter to apply"),
  later("Press ⌘+Enter to apply"),
  later("No results"),
  later("Error:"),
  later("Number is outside the allowed range. Please enter a value between {low} and {high}."),
  later("Error: Number is outside the allowed range. Please enter a value between {low} and {high}."),
  later("Error: {kind} files are not allowed."),
  later("Select all"),
  later("Selected values"),
  later("Add files"),
  later("Dismiss"),
  later("Remove {x}"),
  later("{n} options available."),
  later("{x} icon"),
  later("Sidebar"),
  later("{kind} files are not allowed."),
  later("Expand sidebar"),
  later("Collapse sidebar"),
];
const TEXTS =
  [
    "stSkipToContent",
    "stFileUploaderDropzone",
    "InputInstructions",
    "stNumberInput",
    "stSelectboxVirtualDropdown",
    "stMultiSelect",
  ]
    .map((name) => `[data-testid=${name}]`)
    .join(", ") + ", [role=listbox], [data-live-announcer], [aria-live]";
const ATTRIBUTES = ["aria-label", "placeholder", "title"];
const escaped = (text) => text.replace(/[.*+?^$()|[\]\\/]/g, "\\$&");

function rule(from, to) {
  const names = [...from.matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
  const pattern = new RegExp(`^${escaped(from).replace(/\{\w+\}/g, "(.+)")}$`);
  return (text) => {
    const found = pattern.exec(text);
    return found && to.replace(/\{(\w+)\}/g, (_, name) => found[names.indexOf(name) + 1]);
  };
}

let spoken = "en";
let rules = [];
let waiting = 0;

const ours = (node) => (node.nodeType === Node.TEXT_NODE ? node.parentElement : node)?.closest?.(".sv-root");
const observer = new MutationObserver((changes) => {
  if (!changes.every(({ target }) => ours(target))) soon();
});

const said = (text) => {
  for (const found of rules) {
    const other = found(text);
    if (other !== null) return other;
  }
  return null;
};

function sweep() {
  waiting = 0;
  for (const node of document.querySelectorAll(ATTRIBUTES.map((name) => `[${name}]`).join(", "))) {
    if (node.closest(".sv-root")) continue;
    for (const name of ATTRIBUTES) {
      const other = node.hasAttribute(name) ? said(node.getAttribute(name)) : null;
      if (other !== null) node.setAttribute(name, other);
    }
  }
  for (const place of document.querySelectorAll(TEXTS)) {
    if (place.closest(".sv-root")) continue;
    const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const other = said(walker.currentNode.nodeValue.trim());
      if (other !== null) walker.currentNode.nodeValue = other;
    }
  }
}

function soon() {
  waiting ||= requestAnimationFrame(sweep);
}

// After a click on a switch at the top the keys are for the picture: space would turn the switch back. Who came by
// keyboard stays on it.
let pointed = false;
const switches = (node) => node.closest?.(".st-key-switches");
document.addEventListener(
  "pointerdown",
  ({ target }) => {
    pointed = !!switches(target);
  },
  true,
);
document.addEventListener(
  "keydown",
  () => {
    pointed = false;
  },
  true,
);
document.addEventListener("focusin", ({ target }) => {
  if (pointed && target instanceof HTMLElement && switches(target)) setTimeout(() => target.blur());
});

// Streamlit pushes every change of the query, and on the way to another page it empties and fills it again: Back would
// walk through all of that. Only another page is a step in the history; it begins at its top.
const push = history.pushState.bind(history);
history.pushState = (state, title, url) => {
  const there = new URL(url ?? location.href, location.href);
  if (there.pathname === location.pathname) history.replaceState(state, title, url);
  else {
    push(state, title, url);
    document.querySelector(".stMain")?.scrollTo(0, 0);
  }
};

// Say it in this language, now and after whatever Streamlit draws next.
export function frame(language) {
  const { documentElement: page } = document;
  if (page.lang !== tag(language)) page.lang = tag(language); // written again, it has every style found out anew
  if (language === spoken) return;
  const words = catalogue(language);
  rules = SAID.map((text) => (words ? rule(text, words[text] ?? text) : rule(catalogue(spoken)[text] ?? text, text)));
  spoken = language;
  observer.disconnect();
  if (words) observer.observe(document.body, { childList: true, characterData: true, subtree: true });
  soon();
}
