// The sentence on top of a picture, and beside it one thing to try.

import { button } from "./controls.js";
import { el } from "./dom.js";
import { tr } from "./language.js";

/** @import { Try } from "./headers.js" */

const [LEAST, GAP] = [20, 16]; // px

export class Top {
  // attempt(edits): what is asked to be tried.
  /** @param {(edits: number[][]) => void} [attempt] */
  constructor(attempt) {
    this.says = el("h1", { class: "sv-headline" });
    this.story = el("p", { class: "sv-told" });
    this.hint = el("span", { class: "sv-hint" });
    /** @type {Try | null} */
    this.tries = null;
    this.said = ""; // so that it is measured only when it says something else
    this.button = button("", "", () => this.tries && attempt?.(this.tries.edits));
    this.button.classList.add("sv-try");
    this.root = el("div", { class: "sv-top" }, this.says, this.button, this.hint);
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(this.root);
  }

  /** @param {{headline?: string, story?: string, title?: string, tries?: Try | null, plain?: boolean}} header */
  set({ headline, story = "", title = "", tries = null, plain }) {
    this.tries = tries;
    const said = JSON.stringify([headline, story, title, tries?.says, plain]);
    if (said === this.said) return;
    this.said = said;
    this.root.hidden = !!plain || !headline;
    this.says.textContent = headline ?? "";
    this.tell(story);
    this.button.hidden = !tries;
    this.button.textContent = tries?.says ?? "";
    this.button.title = tries ? tr("Change the input, and see what follows") : "";
    this.hint.textContent = title;
    this.fit();
  }

  // Below the picture.
  /** @param {string} story */
  tell(story) {
    this.story.textContent = story;
    this.story.hidden = !story;
  }

  // A long sentence is set smaller before it takes a second line.
  fit() {
    const { style } = this.says;
    Object.assign(style, { fontSize: "", whiteSpace: "nowrap" });
    const { paddingLeft, paddingRight } = getComputedStyle(this.root);
    const inner = this.root.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    const room = inner - (this.button.hidden ? 0 : this.button.offsetWidth + GAP);
    const wide = this.says.scrollWidth;
    const size = parseFloat(getComputedStyle(this.says).fontSize);
    if (wide > room && room > 0) style.fontSize = `${Math.max(LEAST, Math.floor((size * room) / wide))}px`;
    style.whiteSpace = "";
  }
}
