// What panels over time hand to each other. Only types: tsc reads them in the scripts' comments.

/**
 * What is read of any panel's header, and of a row's.
 * @typedef {{id: string, plain?: boolean, undo?: boolean, redo?: boolean}} TimedHeader
 * @typedef {{signal: string, symbol: string, name: string, says?: string, note?: string, hue?: string}} TimedRow
 */
/**
 * Where the person is: the step, the length `L`, the rows that are folded, the part of the time that is looked at.
 * What is not there from the start comes with the first message or the first drawing.
 *
 * @typedef {object} TimedState
 * @property {number} step
 * @property {number} [unit]
 * @property {{step: number, unit: number} | null} hover
 * @property {Set<string>} folded
 * @property {number[] | null} zoom
 * @property {Record<string, number[]>} ranges
 * @property {string} speed
 * @property {number} [L]
 * @property {string[] | null} [labels] the character of every step
 * @property {string[] | null} [marks] what every step is called
 * @property {boolean} [narrow]
 * @property {boolean} [coarse]
 * @property {number} [room] the height that there is for the picture
 * @property {boolean} [secret] whether the values are to be guessed
 */
/**
 * What the scope knows beside that.
 *
 * @typedef {object} ScopeOnly
 * @property {number} unit
 * @property {number} feature
 * @property {string} view now, baseline or difference
 * @property {string} sort
 * @property {number} [hidden]
 * @property {string} [cell]
 * @property {string[] | null} [names]
 * @property {Float32Array} [target]
 * @property {number[]} [order] the units from top to bottom
 * @property {boolean} [open] whether the cell of the chosen step is open in its column
 */
/** @typedef {TimedState & ScopeOnly} ScopeState */
/** @typedef {Record<string, Float32Array>} Numbers every signal, time first */
/** @typedef {{top: number, height: number, head?: number}} Span where a row is, and how tall what is above, in px */
/**
 * The room around a picture's rows, in px: `heading` above each of them, `column` at the left of all for headings.
 *
 * @typedef {Record<"left" | "right" | "top" | "bottom" | "heading" | "gap" | "column", number>} Margin
 */
/**
 * For Plotly; `units`: which lines of each row are named at its axis, by their places in the order of the units.
 *
 * @typedef {{traces: any[], layout: any, places: Span[], height: number, margin: Margin, units?: number[][]}} Built
 */
/** @typedef {import("./tip.js").Content} TipContent */
/** @typedef {HTMLElement & {region?: {from: number, to: number, place: Span}}} Mark */
/**
 * What lies under a pointer.
 * @template R
 * @typedef {object} Place
 * @property {number} step
 * @property {R | null} row
 * @property {number} [k] the row's number
 * @property {number} px
 * @property {number} py
 * @property {number} [share] how far down the row, from 0 to 1
 * @property {number} [unit]
 * @property {number} [feature]
 */

export {};
