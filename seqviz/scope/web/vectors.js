// One line of the equations for all units at once: a strip of colours for every term, one cell a unit.

import { el, spelled, typeset } from "./dom.js";
import { tr, trn } from "./language.js";
import { clamp, number } from "./numbers.js";
import { shadesOf } from "./shades.js";

function paint(canvas, values, low, high, scale) {
  const shade = shadesOf(scale);
  canvas.width = values.length;
  canvas.height = 1;
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(values.length, 1);
  values.forEach((value, k) => {
    if (Number.isNaN(value)) return;
    const share = (value - low) / (high - low);
    image.data.set(shade(share), 4 * k);
  });
  pen.putImageData(image, 0, 0);
}

// A question mark in place of a value.
export const ask = (reveal) =>
  el("button", {
    type: "button",
    class: "sv-ask",
    title: tr("Show this value"),
    text: "?",
    onclick: (event) => {
      event.stopPropagation(); // the line around it would open
      reveal();
    },
  });

export class Vectors {
  // rows: [text, name, link] as in diagrams.js; peek(unit or null) while a strip is hovered, choose(unit) when it is
  // clicked, reveal(name) when its question mark is.
  constructor(rows, { peek, choose, reveal }) {
    this.reveal = reveal;
    this.rows = rows.map(([text, name, link = name]) => {
      const [canvas, mark, value] = [
        el("canvas", { "aria-hidden": "true" }),
        el("i", { class: "sv-vecmark" }),
        el("span", { class: "sv-barvalue" }),
      ];
      const strip = el("div", { class: "sv-strip", role: "img" }, canvas, mark);
      const unit = (event) => {
        const box = strip.getBoundingClientRect();
        return clamp(Math.floor(((event.clientX - box.left) / box.width) * this.count), 0, this.count - 1);
      };
      strip.addEventListener("pointermove", (event) => peek(unit(event)));
      strip.addEventListener("pointerleave", () => peek(null));
      strip.addEventListener("click", (event) => choose(unit(event)));
      const row = el(
        "div",
        { class: "sv-vecrow", "data-link": link },
        el("span", { class: "sv-law" }, ...typeset(tr(text))),
        strip,
        value,
      );
      return { text: spelled(tr(text)), name, canvas, mark, strip, value, row };
    });
    this.range = el("span", { class: "sv-range" });
    this.root = el("div", { class: "sv-vectors" }, ...this.rows.map((r) => r.row));
  }

  // gate: the name of the value that runs from 0 to 1, if one does; hides(name): whether it is to be guessed;
  // held(name): in whose words the chosen unit's is held by hand, if it is; pending: the last row is yet to be reached.
  show(found, { unit, theme, gate, hides, held, pending }) {
    const signed = this.rows.filter((r) => r.name !== gate && !hides(r.name));
    const most = Math.max(0, ...signed.flatMap((r) => Array.from(found[r.name], Math.abs).filter(Number.isFinite)));
    this.count = found[this.rows[0].name].length;
    const reach = most || 1;
    this.range.textContent =
      signed.length === 0 ? "" : `±${most && (most < 0.1 || most >= 1e4) ? most.toPrecision(2) : most.toFixed(2)}`;
    this.rows.at(-1).row.classList.toggle("sv-dim", !!pending);
    for (const { text, name, canvas, mark, strip, value } of this.rows) {
      const values = found[name];
      const hidden = hides(name);
      if (name === gate) paint(canvas, values, 0, 1, theme.sequential[name] ?? theme.magnitude);
      else paint(canvas, values, -reach, reach, theme.diverging);
      canvas.style.visibility = hidden ? "hidden" : "";
      mark.style.cssText = `left:${(100 * unit) / this.count}%;width:${100 / this.count}%`;
      const rule = hidden ? "" : held(name);
      value.replaceChildren(hidden ? ask(() => this.reveal(name)) : `${rule ? "≠ " : ""}${number(values[unit])}`);
      value.classList.toggle("sv-held", !!rule);
      value.title = rule;
      strip.setAttribute(
        "aria-label",
        hidden
          ? tr("{term}: to be guessed", { term: text })
          : trn(
              "{term}, {count} unit: from {low} to {high}; unit {unit}: {value}",
              "{term}, {count} units: from {low} to {high}; unit {unit}: {value}",
              this.count,
              {
                term: text,
                low: number(Math.min(...values)),
                high: number(Math.max(...values)),
                unit,
                value: number(values[unit]),
              },
            ),
      );
    }
  }
}
