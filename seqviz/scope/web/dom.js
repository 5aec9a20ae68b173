// Elements, and text as it is set in them.

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} attributes
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/**
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} attributes
 * @param {(Node | string)[]} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// Text and style that an element has already are left alone: written again, they are laid out anew.
/** @type {(node: Node, text: string) => void} */
export const write = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};

/** @type {WeakMap<HTMLElement, string>} */
const worn = new WeakMap();
/** @type {(node: HTMLElement, css: string) => void} all of an element's own style: nothing else sets any of it */
export function dress(node, css) {
  if (worn.get(node) === css) return;
  worn.set(node, css);
  node.style.cssText = css;
}

// How the keys are handed on: no scrolling, and no ring (TypeScript's own options lack that one).
/** @type {FocusOptions & {focusVisible: boolean}} */
export const QUIETLY = { preventScroll: true, focusVisible: false };

// "W_if x_t" as a formula is set: what follows an underscore stands low.
export function typeset(text) {
  return text
    .split(/_(\{[^}]*\}|[\p{L}\d]+)/u)
    .map((part, k) => (k % 2 ? el("sub", { text: part.replace(/[{}]/g, "") }) : part));
}

// The same as it is read out.
export const spelled = (text) =>
  text.replace(/_(\{[^}]*\}|[\p{L}\d]+)/gu, (_, below) => ` ${below.replace(/[{}]/g, "")}`);

export const visible = (character) =>
  character === " " ? "␣" : character === "\n" ? "↵" : character === "\t" ? "⇥" : character;
