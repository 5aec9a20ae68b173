// A page that is a picture's own, or that lets it be the first thing on it: its keys, its colours.

// Keys pressed elsewhere on the page are for the first picture on it, while nothing lies over it.
/**
 * @param {HTMLElement} root
 * @param {(event: KeyboardEvent) => void} heard
 */
export function keys(root, heard) {
  const pressed = (event) => {
    if (event.defaultPrevented || root.contains(event.target)) return;
    if (document.querySelector(".sv-timed") !== root || document.querySelector("[role=dialog], dialog[open]")) return;
    heard(event);
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}

/** @param {() => void} heard */
export function rethemed(heard) {
  const observer = new MutationObserver(heard);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "style"] });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", heard);
  return () => {
    observer.disconnect();
    scheme.removeEventListener("change", heard);
  };
}

/** @param {() => void} heard */
export function resized(heard) {
  window.addEventListener("resize", heard);
  return () => window.removeEventListener("resize", heard);
}

/** @param {(event: Event) => void} heard */
export function touched(heard) {
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, heard, true);
  return () => {
    for (const kind of ["pointerdown", "keydown"]) document.removeEventListener(kind, heard, true);
  };
}

const TEXT = "input:not([type=range], [type=radio], [type=checkbox]), textarea, [contenteditable]";

// Keys that are no text's and no dialog's.
/** @param {(event: KeyboardEvent) => void} heard */
export function typed(heard) {
  const pressed = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const [target] = event.composedPath();
    if (target instanceof Element && target.closest(TEXT)) return;
    if (!document.querySelector("[role=dialog], dialog[open]")) heard(event);
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
