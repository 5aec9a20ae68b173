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
