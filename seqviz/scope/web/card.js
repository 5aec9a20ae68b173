// A drawing that is no Plotly figure as a file that leaves the page: a copy with its colours and letters written into
// it, under its sentence, over what has to be said of it.

import { svg } from "./dom.js";
import { addressed, fitted, handed, lettersIn } from "./poster.js";

/** @import { Theme } from "./theme.js" */

const [EDGE, HEAD, LINE, SIDE] = [20, 44, 20, 470]; // px
const LOOKS = [
  ...["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "stroke-linecap"],
  ...["opacity", "paint-order"],
  ...["font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline", "visibility", "display"],
];

// An element of the page as one that needs no stylesheet.
/** @type {(node: Element) => Element} */
export function detached(node) {
  const copy = /** @type {Element} */ (node.cloneNode(true));
  const [seen, made] = [
    [node, ...node.querySelectorAll("*")],
    [copy, ...copy.querySelectorAll("*")],
  ];
  seen.forEach((each, k) => {
    const style = getComputedStyle(each);
    made[k].removeAttribute("style");
    for (const name of LOOKS) made[k].setAttribute(name, style.getPropertyValue(name));
  });
  return copy;
}

// What follows an underscore stands low.
function low(said) {
  const parts = said.split(/_(\{[^}]*\}|[\p{L}\d]+)/u);
  return parts.map((part, k) => {
    const below = k % 2 === 1;
    const look = below ? { dy: 4, "font-size": "72%" } : k ? { dy: -4 } : {};
    return svg("tspan", look, below ? part.replace(/[{}]/g, "") : part);
  });
}

// Lines of text, one below the other; each is [text, size, weight, colour].
/** @type {(lines: [string, number, number, string][], x: number, y: number, font: string, formula?: boolean) =>
 * SVGElement[]} */
function texts(lines, x, y, font, formula = false) {
  let at = y;
  return lines.map(([said, size, weight, fill]) => {
    at += size * 1.4;
    const look = { x, y: at, "font-family": font, "font-size": size, "font-weight": weight, fill };
    return svg("text", look, ...(formula ? low(said) : [said]));
  });
}

/** @typedef {{title: string, beside: string[], notes: string[]}} Words what stands at its right, and below it */

/** @type {(drawing: SVGSVGElement, theme: Theme, words: Words) => ReturnType<typeof framed>} */
export function card(drawing, theme, words) {
  return framed(detached(drawing), drawing.getBoundingClientRect(), theme, words);
}

/**
 * @param {Element} inner a drawing that needs no stylesheet
 * @param {{width: number, height: number}} size of it
 * @param {Theme} theme
 * @param {Words} words
 */
export function framed(inner, { width: wide, height: tall }, theme, { title, beside, notes }) {
  const body = Math.max(tall, beside.length * 24 + 8);
  const width = Math.round(2 * EDGE + wide + (beside.length ? SIDE : 0));
  const below = notes.flatMap((said) => fitted(said, lettersIn(width - 2 * EDGE)));
  const height = Math.round(HEAD + body + 2 * EDGE + below.length * LINE);
  for (const [name, value] of Object.entries({ x: EDGE, y: HEAD + EDGE / 2, width: wide, height: tall }))
    inner.setAttribute(name, `${value}`);
  inner.setAttribute("overflow", "visible");
  const { font, ink, quiet, paper } = theme;
  const sheet = svg(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}` },
    svg("rect", { width, height, fill: paper }),
    ...texts([[title, Math.min(22, (1.7 * width) / title.length), 650, ink]], EDGE, 6, font),
    inner,
    ...texts(
      beside.map((said) => [said, 16, 400, ink]),
      EDGE + wide + EDGE,
      HEAD + EDGE / 2,
      font,
      true,
    ),
    ...texts(
      below.map((said) => [said, 14, 400, quiet]),
      EDGE,
      HEAD + EDGE + body,
      font,
    ),
  );
  return { sheet, width, height };
}

/**
 * @param {ReturnType<typeof framed>} made
 * @param {string} format svg or png
 * @param {string} name of the file, without its ending
 */
export async function hand({ sheet, width, height }, format, name) {
  const text = new XMLSerializer().serializeToString(sheet);
  if (format === "svg") {
    handed(new Blob([text], { type: "image/svg+xml" }), `${name}.svg`);
    return;
  }
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
  canvas.getContext("2d").drawImage(image, 0, 0, 2 * width, 2 * height);
  canvas.toBlob((blob) => handed(blob, `${name}.png`), "image/png");
}

// The cell with its equations; what is to be guessed is a question mark there too.
/**
 * @param {import("./cell.js").CellView} view
 * @param {string} format svg or png
 */
export async function saveCell(view, format) {
  const { header, host, state, theme, drawing, lines } = view;
  const held = header.rules.map((rule) => rule.says);
  const words = {
    title: header.headline || header.name,
    beside: lines.said(),
    notes: [`${header.name}. ${view.spoken()}`, ...held, ...addressed(host.address())],
  };
  await hand(card(drawing.root, theme, words), format, `seqviz-cell-${state.step}`);
}
