// The page's own theme, read from Streamlit's CSS variables, with the colours that Python chose.

import { tr } from "./language.js";

export * from "./language.js";
export { number } from "./numbers.js";

const known = new Map();

function luminance(color) {
  if (!known.has(color)) known.set(color, measured(color));
  return known.get(color);
}

function measured(color) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, 1, 1);
  pen.fillStyle = color;
  pen.fillRect(0, 0, 1, 1);
  const [r, g, b] = pen.getImageData(0, 0, 1, 1).data;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** @import { Palette } from "./headers.js" */
/**
 * The palette of now, with what the page itself says.
 * @typedef {Palette & {dark: boolean, outside: string, label: number, small: number}} Theme
 */

/**
 * @param {Element} element
 * @param {Record<string, Palette>} palettes
 * @returns {Theme}
 */
export function readTheme(element, palettes) {
  const style = getComputedStyle(element);
  const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const paper = read("--st-background-color", "#ffffff");
  const dark = luminance(paper) < 128;
  const palette = palettes[dark ? "dark" : "light"];
  const label = parseFloat(read("--sv-t1", "14"));
  return {
    ...palette,
    dark,
    paper,
    font: read("--st-font", palette.font),
    mono: read("--st-code-font", palette.mono),
    outside: palette.changed,
    // Letters in the pictures, in px.
    label,
    small: label,
  };
}

/** @type {(one: Theme, other: Theme) => boolean} */
export const alike = (one, other) => ["paper", "font", "label"].every((part) => one[part] === other[part]);

// The colours of a theme, for the styles of what lies in an element.
/** @type {(element: HTMLElement, theme: Theme) => void} */
export function wear(element, theme) {
  element.classList.toggle("sv-dark", theme.dark);
  for (const [signal, hue] of Object.entries(theme.hues)) element.style.setProperty(`--sv-hue-${signal}`, hue);
}

/** @param {Palette["diverging"]} scale */
export function gradient(scale) {
  return `linear-gradient(90deg, ${scale.map(([at, color]) => `${color} ${at * 100}%`).join(", ")})`;
}

let loading;
let library;
// Where the host keeps plotly.js.
export function libraryAt(address) {
  library ??= address;
}

/** @returns {Promise<any>} the library, which brings no types of its own */
export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const tag = document.createElement("script");
    tag.src = library ?? new URL("./plotly.min.js", import.meta.url).href;
    tag.onload = () => resolve(/** @type {any} */ (window).Plotly);
    tag.onerror = () => reject(new Error(tr("The drawing library could not be loaded.")));
    document.head.append(tag);
  });
  return loading;
}

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
