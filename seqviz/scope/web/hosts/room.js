// How much height a window has for a picture: what lies between its top and the bar at the foot of the window.

const [BAR, KEYS, AIR] = [60, 52, 6]; // px: the bar of play, a lecture's line of keys, what stays free
const OWN = 54; // px: the bar of a picture that stands beside the one whose bar is at the foot
const RAIL = 190; // px: what of a lesson's rail stands in view below a phone's picture
const PHONE = 640; // px of the window's width at most
const LETTERS = 16; // px; larger ones are a lecture's

// How far what the picture lies in has been scrolled.
function scrolled(node) {
  for (let at = node.parentElement; at; at = at.parentElement) if (at.scrollTop) return at.scrollTop;
  return 0;
}

/** @param {Element} plot */
export function room(plot) {
  const stage = parseFloat(getComputedStyle(plot).getPropertyValue("--sv-t1")) > LETTERS;
  const top = plot.getBoundingClientRect().top + (stage ? 0 : scrolled(plot));
  const below = window.innerWidth <= PHONE && document.querySelector(".sv-rail") ? RAIL : 0;
  const beside = !stage && plot.closest(".sv-plain") && document.querySelector(".sv-learning") ? OWN : 0;
  return window.innerHeight - top - (stage ? KEYS : BAR) - AIR - below - beside;
}
