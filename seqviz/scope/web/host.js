// What a picture is told of the place that it lies in, and all that it knows of it.

/**
 * @typedef {object} Host
 * @property {(event: object) => void} send what the hand did, to whoever drew the picture
 * @property {boolean} answers whether somebody will answer that with another picture
 * @property {() => Promise<any>} plotly the library that draws; it brings no types of its own
 * @property {() => URLSearchParams} view what the address asks for
 * @property {(header: Addressed, view: URLSearchParams) => void} show what is on the screen now, for the address
 * @property {() => string} address a picture's own, to be written into a file; "" where it has none
 * @property {() => boolean} named whether the address names what is shown, and not only a place in it
 * @property {() => boolean} lecture whether it is shown to a class
 * @property {() => void} stage begin or end that
 * @property {(() => Promise<boolean>) | null} share copy the address of what is on the screen; null where it has none
 * @property {(plot: Element) => number | undefined} room the height for a picture, where it has a window to itself
 * @property {(heard: () => void) => Unlisten} resized that may have changed
 * @property {(heard: (event: Event) => void) => Unlisten} touched somebody did something, anywhere on the page
 * @property {(heard: (event: KeyboardEvent) => void) => Unlisten} typed a key that is no text's and no dialog's
 * @property {(root: HTMLElement, heard: (event: KeyboardEvent) => void) => Unlisten} keys those that are pressed
 *   elsewhere and that a picture may take
 * @property {(heard: () => void) => Unlisten} readdressed another place of the same page was asked for
 * @property {(heard: () => void) => Unlisten} rethemed the colours of the page may have changed
 */
/** @typedef {() => void} Unlisten */
/** @typedef {{address: string, fields: string[]}} Addressed a header that has an address */

const silent = () => () => {};

// A place that is nobody's page: no address, no keys but the picture's own, nobody who answers.
/**
 * @param {() => Promise<any>} plotly
 * @returns {Host}
 */
export const nowhere = (plotly) => ({
  send() {},
  answers: false,
  plotly,
  view: () => new URLSearchParams(),
  show() {},
  address: () => "",
  named: () => true,
  lecture: () => false,
  stage() {},
  share: null,
  room: () => undefined,
  resized: silent,
  touched: silent,
  typed: silent,
  keys: silent,
  readdressed: silent,
  rethemed: silent,
});
