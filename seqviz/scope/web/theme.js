// The colours and letters of now: what Python chose, and what the host's variables say of paper and type.

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
  const paper = read("--sv-paper", "#ffffff");
  const dark = luminance(paper) < 128;
  const palette = palettes[dark ? "dark" : "light"];
  const label = parseFloat(read("--sv-t1", "14"));
  return {
    ...palette,
    dark,
    paper,
    font: read("--sv-font", palette.font),
    mono: read("--sv-mono", palette.mono),
    outside: palette.changed,
    // Letters in the pictures, in px.
    label,
    small: label,
  };
}

/** @type {(one: Theme, other: Theme) => boolean} */
const alike = (one, other) => ["paper", "font", "label"].every((part) => one[part] === other[part]);

// The colours of a theme, for the styles of what lies in an element.
/** @type {(element: HTMLElement, theme: Theme) => void} */
export function wear(element, theme) {
  element.classList.toggle("sv-dark", theme.dark);
  for (const [signal, hue] of Object.entries(theme.hues)) element.style.setProperty(`--sv-hue-${signal}`, hue);
}

/**
 * The theme of now, worn by the element; undefined where it is the one it wears.
 *
 * @param {HTMLElement} element
 * @param {Record<string, Palette>} palettes
 * @param {Theme | null} [worn]
 * @returns {Theme | undefined}
 */
export function redressed(element, palettes, worn) {
  const theme = readTheme(element, palettes);
  if (worn && alike(worn, theme)) return undefined;
  wear(element, theme);
  return theme;
}

/** @param {Palette["diverging"]} scale */
export function gradient(scale) {
  return `linear-gradient(90deg, ${scale.map(([at, color]) => `${color} ${at * 100}%`).join(", ")})`;
}
