// A picture that parts at one column: where its pixels lie once that column has room for what happens in it. The others
// share what is left, each as wide as any.

export class Parting {
  // width: of the whole picture; from, to: the column's edges in it; room: how wide the column becomes.
  /**
   * @param {number} width
   * @param {number} from
   * @param {number} to
   * @param {number} room
   */
  constructor(width, from, to, room) {
    const free = width - (to - from);
    this.share = free > 0 ? Math.max(0, width - room) / free : 0;
    this.from = from;
    this.to = to;
    this.low = from * this.share;
    this.high = this.low + Math.min(room, width);
    this.stretch = (this.high - this.low) / (to - from);
  }

  /** @type {(px: number) => number} where a pixel lies now */
  across(px) {
    if (px < this.from) return px * this.share;
    if (px > this.to) return this.high + (px - this.to) * this.share;
    return this.low + (px - this.from) * this.stretch;
  }

  /** @type {(px: number) => number} where it lay before */
  back(px) {
    if (px < this.low) return px / this.share;
    if (px > this.high) return this.to + (px - this.high) / this.share;
    return this.from + (px - this.low) / this.stretch;
  }
}

// How wide a column is that shows its cell: all of a narrow picture.
/** @type {(width: number, letters: number, narrow: boolean) => number} */
export const roomOf = (width, letters, narrow) =>
  narrow ? width : Math.min(width, letters > 16 ? Math.max(400, 0.5 * width) : Math.max(346, 0.42 * width));
