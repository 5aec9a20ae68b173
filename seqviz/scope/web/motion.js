// How things move here, and whether they do.

export const REST = 150; // ms without a stroke, until Plotly draws what the hand has made

const CALM = "(prefers-reduced-motion: reduce)";

// Whether the person has asked for less motion.
export const calm = () => matchMedia(CALM).matches;

/** @type {(share: number) => number} as cubic-bezier(.2, .7, .2, 1) goes, about: fast, then slower */
export const settling = (share) => 1 - (1 - share) ** 3;

/** @type {(share: number) => number} slow at both ends */
export const eased = (share) => (share < 0.5 ? 4 * share ** 3 : 1 - (-2 * share + 2) ** 3 / 2);
