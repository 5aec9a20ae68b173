// A saved picture that plays: the chosen step goes from the first to the last, and what is to come lies under a veil,
// as in the app; as an animated GIF, which every mail and every slide shows.

import { GIFEncoder, applyPalette, quantize } from "./gifenc.min.js";

/** @import { Posted } from "./poster.js" */
/** @import { Theme } from "./theme.js" */

const MOST = 120; // frames; of a longer sequence not every step is one
const REST = 1600; // ms on the last frame
const SPARE = 255; // the colour's number that means: as it was
const [SOFT, VALUE, PILL] = [0.86, 17, 14]; // of the veil, px of letters

/** @type {(steps: number, most?: number) => number[]} the steps that are frames, the first and the last among them */
export function frames(steps, most = MOST) {
  const every = Math.max(1, Math.ceil((steps - 1) / (most - 1)));
  const found = [];
  for (let t = 0; t < steps - 1; t += every) found.push(t);
  return [...found, steps - 1];
}

/** @type {(picture: string) => Promise<HTMLImageElement>} */
async function loaded(picture) {
  const image = new Image();
  image.src = picture;
  await image.decode();
  return image;
}

// One frame over the still picture: the veil, the chosen step's frame and number, the rows' values.
/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Posted} posted
 * @param {Theme} theme
 * @param {number} step
 * @param {string[]} values
 */
function over(pen, { layout, places }, theme, step, values) {
  const { l, r } = layout.margin;
  const [from, to] = layout.xaxis.range;
  const right = layout.width - r;
  const x = (t) => Math.min(right, Math.max(l, l + ((t - from) / (to - from)) * (right - l)));
  const [top, foot] = [places[0].top, places.at(-1).top + places.at(-1).height];
  const [a, b] = [x(step - 0.5), Math.max(x(step + 0.5), x(step - 0.5) + 3)];
  pen.globalAlpha = SOFT;
  pen.fillStyle = theme.paper;
  pen.fillRect(b, top, right - b, foot - top);
  pen.globalAlpha = 1;
  pen.lineWidth = 2;
  pen.strokeStyle = pen.fillStyle = theme.ink;
  pen.strokeRect(a, top - 1, b - a, foot - top + 6);
  pen.font = `650 ${PILL}px ${theme.font}`;
  pen.textBaseline = "middle";
  pen.textAlign = "center";
  const wide = pen.measureText(`${step}`).width + PILL;
  pen.beginPath();
  pen.roundRect((a + b) / 2 - wide / 2, foot + 5, wide, 22, 11);
  pen.fill();
  pen.fillStyle = theme.paper;
  pen.fillText(`${step}`, (a + b) / 2, foot + 17);
  pen.textAlign = "right";
  pen.fillStyle = theme.ink;
  pen.font = `650 ${VALUE}px ${theme.font}`;
  values.forEach((text, k) => pen.fillText(text, layout.width - 6, places[k].top + places[k].height / 2));
}

// Which of a frame's pixels are to be written: the others stay as they were.
/** @type {(now: Uint8Array, before: Uint8Array | null) => Uint8Array} */
export const changed = (now, before) => (before ? now.map((v, k) => (v === before[k] ? SPARE : v)) : now);

/**
 * @param {any} Plotly
 * @param {Posted} posted
 * @param {Theme} theme
 * @param {{steps: number, delay: number, values?: (step: number) => string[]}} played delay: ms a step
 * @returns {Promise<Blob>}
 */
export async function film(Plotly, posted, theme, { steps, delay, values = () => [] }) {
  const { width, height } = posted.layout;
  const { data, layout } = posted;
  const still = await loaded(await Plotly.toImage({ data, layout }, { format: "png", width, height, scale: 1 }));
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const drawn = (step) => {
    pen.drawImage(still, 0, 0, width, height);
    over(pen, posted, theme, step, values(step));
    return pen.getImageData(0, 0, width, height).data;
  };
  const shown = frames(steps);
  const palette = quantize(both(drawn(0), drawn(steps - 1)), SPARE);
  const all = [...palette, ...Array.from({ length: 256 - palette.length }, () => [0, 0, 0])];
  const gif = GIFEncoder();
  let before = null;
  for (const [k, step] of shown.entries()) {
    const now = applyPalette(drawn(step), palette);
    const wait = step === steps - 1 ? REST : Math.max(20, (shown[k + 1] - step) * delay);
    const how = before ? { transparent: true, transparentIndex: SPARE, dispose: 1 } : { palette: all, dispose: 1 };
    gif.writeFrame(changed(now, before), width, height, { ...how, delay: wait });
    before = now;
    await new Promise((resolve) => setTimeout(resolve)); // the page stays answering
  }
  gif.finish();
  return new Blob([gif.bytes()], { type: "image/gif" });
}

function both(one, other) {
  const joined = new Uint8ClampedArray(one.length + other.length);
  joined.set(one);
  joined.set(other, one.length);
  return joined;
}
