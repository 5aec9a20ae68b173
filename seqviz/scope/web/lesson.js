// The rail of a lesson: where one is, what is said and asked, and what was measured. Page keys go on from anywhere,
// arrows while the rail has the keys, digits answer from anywhere.

import { button } from "./controls.js";
import { el, QUIETLY } from "./dom.js";
import { tr } from "./language.js";
import { shine, spotlight } from "./spotlight.js";

/** @import { Message } from "./bytes.js" */
/** @import { LessonGuess, LessonHeader, LessonKnob, LessonTask } from "./headers.js" */

const TAGS = ["p", "em", "strong", "ul", "ol", "li", "blockquote", "h3", "h4", "code", "pre", "br", "hr", "span"];
const LETTERS = "ABCDEF";
const [LARGE, LEAST] = [21, 18]; // px of a lecture's text where it has little room
const left = new Set(); // the openings of lessons that were left, whichever page's rail did it
const held = { keys: false }; // whether the rail had the keys when its page was left

// A text as it is shown: nothing but elements that are known, and links to the web.
/** @param {any[]} parts */
export function built(parts) {
  return parts.map((part) => {
    if (typeof part === "string") return part;
    const [tag, address, ...inside] = part;
    if (tag === "a" && /^https?:\/\//.test(address))
      return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...built(inside));
    return el(TAGS.includes(tag) ? tag : "span", {}, ...built(inside));
  });
}

export class Rail {
  /** @type {LessonHeader} */
  header;

  /**
   * @param {HTMLElement} root
   * @param {import("./host.js").Host} host
   */
  constructor(root, host) {
    this.root = root;
    this.host = { ...host };
    root.classList.add("sv-rail");
    root.tabIndex = -1;
    root.setAttribute("role", "region");
    root.addEventListener("keydown", (event) => this.pressed(event));
    this.unlisten = [host.typed((event) => this.paged(event)), host.resized(() => this.fit())];
  }

  /** @param {Message<LessonHeader>} message */
  update({ header }) {
    if (left.has(header.opened)) return; // it was on its way when the lesson was left
    const first = !this.header;
    const moved = first ? !this.host.view().has("step") : this.header.spot.key !== header.spot.key;
    this.header = header;
    this.root.setAttribute("aria-label", tr("Lesson: {title}", { title: header.title }));
    this.root.classList.toggle("sv-doing", !!header.task);
    this.root.classList.toggle("sv-runs", !!header.trains);
    const focus = this.focused();
    this.build();
    this.fit();
    this.refocus(focus, first);
    this.host.show(header, this.host.view());
    shine(header.elsewhere ? null : header.spot, moved);
    this.root.dataset.drawn = header.id;
    this.root.dataset.at = `${header.at}`;
    this.root.dataset.passed = `${!!header.task?.passed}`;
  }

  // In a lecture, whose window nobody scrolls, a long text is set smaller; where that is not enough, a question that
  // has been answered makes room.
  fit() {
    const { style, classList } = this.root;
    style.fontSize = "";
    classList.remove("sv-tight");
    if (!this.host.lecture()) return;
    const room = this.host.room(this.root);
    for (let size = LARGE; size >= LEAST && this.root.offsetHeight > room; size--) style.fontSize = `${size}px`;
    classList.toggle("sv-tight", this.root.offsetHeight > room);
  }

  // Which of its parts has the keys, so that another drawing leaves them there.
  focused() {
    const { activeElement } = document;
    if (!this.root.contains(activeElement)) return null;
    return /** @type {HTMLElement} */ (activeElement).dataset.part ?? "";
  }

  refocus(part, first) {
    if (part === null && !(first && held.keys)) return;
    held.keys = false;
    const there = part && this.root.querySelector(`[data-part="${CSS.escape(part)}"]:not(:disabled)`);
    /** @type {HTMLElement} */ (there || this.root).focus(QUIETLY);
  }

  send(event) {
    this.host.send({ ...event, at_ms: performance.now() });
  }

  go(at) {
    const { steps } = this.header;
    if (at < 0 || at >= steps.length || at === this.header.at) return;
    held.keys = this.root.contains(document.activeElement);
    this.send({ type: "go", at });
  }

  leave() {
    left.add(this.header.opened);
    this.host.show({ address: "", fields: this.header.fields }, this.host.view());
    shine(null, false);
    this.send({ type: "leave" });
  }

  guess(choice) {
    if (this.header.guess && !this.header.guess.answered) this.send({ type: "guess", choice });
  }

  // --- keys ---------------------------------------------------------------------------------------

  paged(event) {
    if (!this.header) return;
    const by = { PageUp: -1, PageDown: 1 }[event.key];
    if (by) this.go(this.header.at + by);
    else if (!this.answers(event.key)) return;
    event.preventDefault();
  }

  // A digit answers what is asked; gives whether it did.
  answers(key) {
    const { guess } = this.header;
    const choice = guess && !guess.answered && /^[1-9]$/.test(key) ? +key - 1 : -1;
    if (choice < 0 || choice >= guess.choices.length) return false;
    this.guess(choice);
    return true;
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input") && !event.key.startsWith("Page")) return;
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -1, PageDown: 1 }[event.key];
    if (by) this.go(this.header.at + by);
    else if (!this.answers(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  // --- what is drawn --------------------------------------------------------------------------------

  build() {
    const { header } = this;
    const part = (name, node) => {
      node.dataset.part = name;
      return node;
    };
    const leave = part(
      "leave",
      button(tr("Leave"), tr("Leave the lesson; the pages are as they were before"), () => this.leave()),
    );
    const top = el("div", { class: "sv-rail-top" }, el("h2", { text: header.title }), leave);
    const back = part(
      "before",
      button(tr("Back"), tr("The step before (PageUp)"), () => this.go(header.at - 1)),
    );
    const next = part(
      "next",
      button(tr("Next"), tr("The next step (PageDown)"), () => this.go(header.at + 1)),
    );
    back.disabled = header.at === 0;
    next.disabled = header.at === header.steps.length - 1;
    next.classList.add("sv-primary");
    const where = el("span", {
      class: "sv-rail-where",
      text: tr("{k} of {count}", { k: header.at + 1, count: header.steps.length }),
    });
    this.root.replaceChildren(
      top,
      this.dots(),
      el("div", { class: "sv-rail-body" }, ...this.body()),
      el("div", { class: "sv-rail-foot" }, back, where, next),
    );
  }

  dots() {
    const { steps, at } = this.header;
    const says = { done: tr("done"), open: tr("something to do") };
    return el(
      "ol",
      { class: "sv-dots" },
      ...steps.map((standing, k) =>
        el(
          "li",
          {},
          el("button", {
            type: "button",
            class: `sv-dot sv-${standing || "read"}`,
            "data-part": `dot${k}`,
            "aria-current": k === at ? "step" : null,
            "aria-label": [tr("Step {step}", { step: k + 1 }), says[standing]].filter(Boolean).join(tr(", ")),
            text: `${k + 1}`,
            onclick: () => this.go(k),
          }),
        ),
      ),
    );
  }

  body() {
    const { says, guess, task, trains, note, changed, elsewhere } = this.header;
    const found = [];
    if (guess) found.push(this.question(guess));
    if (says.length) found.push(el("div", { class: "sv-rail-says", role: "status" }, ...built(says)));
    if (task) found.push(this.todo(task));
    if (trains && (!guess || guess.answered)) {
      const run = button(trains, tr("Train these networks side by side"), () => this.send({ type: "train" }));
      run.dataset.part = "train";
      run.classList.add("sv-primary");
      found.push(run);
    }
    if (elsewhere)
      found.push(
        button(tr("Show the picture"), tr("Go to the page that this step is about"), () =>
          this.send({ type: "there" }),
        ),
      );
    if (changed)
      found.push(
        button(tr("Back to the lesson's setting"), tr("Take back what was changed at this step"), () =>
          this.send({ type: "back" }),
        ),
      );
    if (note.length && this.host.lecture()) found.push(el("aside", { class: "sv-rail-note" }, ...built(note)));
    return found;
  }

  /** @param {LessonGuess} guess */
  question({ asks, choices, answered }) {
    const choice = (one, k) => {
      const mark = one.right ? " ✓" : one.picked ? " ✗" : "";
      return el(
        "li",
        { class: ["sv-option", one.right && "sv-right-one", one.picked && "sv-picked"].filter(Boolean).join(" ") },
        el(
          "button",
          {
            type: "button",
            "data-part": `choice${k}`,
            disabled: answered,
            "aria-keyshortcuts": `${k + 1}`,
            onclick: () => this.guess(k),
          },
          el("b", { text: `${LETTERS[k]}${mark}` }),
          el("span", {}, ...built(one.says)),
        ),
        ...(one.reply.length ? [el("div", { class: "sv-reply", role: "status" }, ...built(one.reply))] : []),
      );
    };
    const ask = el("div", { class: "sv-asks" }, ...built(asks));
    const show = button(tr("Show the answer"), "", () => this.guess(null));
    const again = button(tr("Guess again"), "", () => this.send({ type: "again" }));
    show.dataset.part = "show";
    again.dataset.part = "again";
    return el(
      "div",
      { class: "sv-question", role: "group", "aria-label": tr("A question") },
      ask,
      el("ol", { class: "sv-options" }, ...choices.map(choice)),
      answered ? again : show,
    );
  }

  /** @param {LessonTask} task */
  todo({ does, hint, measured, says, passed, knobs, draws }) {
    return el(
      "div",
      { class: passed ? "sv-todo sv-passed" : "sv-todo", role: "group", "aria-label": tr("Your turn") },
      el("div", { class: "sv-does" }, ...built(does)),
      ...knobs.map((knob) => this.knob(knob)),
      ...(draws ? [el("p", { class: "sv-rail-help", text: tr("Draw on the input row of the picture.") })] : []),
      el("output", { class: "sv-measured", text: measured }),
      el("p", { class: "sv-verdict", role: "status", text: passed ? tr("Done. {says}", { says }) : says }),
      ...(hint.length
        ? [el("details", { class: "sv-hinted" }, el("summary", { text: tr("A hint") }), ...built(hint))]
        : []),
    );
  }

  /** @param {LessonKnob} knob */
  knob({ name, value }) {
    const field = el("input", {
      type: "number",
      class: "sv-number",
      step: "any",
      value: value === null ? "" : `${value}`,
      "data-part": `knob.${name}`,
      onchange: () => {
        if (Number.isFinite(field.valueAsNumber)) this.send({ type: "set", name, value: field.valueAsNumber });
      },
    });
    return el("label", { class: "sv-knob" }, el("span", { text: knobName(name) }), field);
  }

  destroy() {
    for (const stop of this.unlisten) stop();
    if (spotlight.spot === this.header?.spot) shine(null, false);
  }
}

// What a number is called that a task leaves free.
function knobName(name) {
  if (name === "spectral_radius") return tr("spectral radius");
  if (name === "forget_bias") return tr("forget bias");
  if (name === "what_if") return tr("held at");
  const [gate, unit, term] = name.split(".");
  if (term === "bias") return tr("{gate}, unit {unit}: bias", { gate, unit });
  const from = term.replace(/^([xh])(\d+)$/, "$1[$2]");
  return tr("{gate}, unit {unit}: weight from {from}", { gate, unit, from });
}
