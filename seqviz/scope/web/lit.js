// Everything that is about the same value lights up together: a term, its wire, its row of a vector.

const linkOf = (node) => node?.closest?.("[data-link]")?.dataset.link;

export class Lit {
  /** @type {string | null | undefined} */
  lit;

  // same(link): the name under which a link is known.
  /**
   * @param {HTMLElement} root
   * @param {(link: string) => string} same
   */
  constructor(root, same) {
    this.root = root;
    this.same = same;
    for (const event of ["pointerover", "focusin"]) root.addEventListener(event, (e) => this.light(linkOf(e.target)));
    root.addEventListener("pointerleave", () => {
      const { activeElement } = document;
      this.light(root.contains(activeElement) ? linkOf(activeElement) : null);
    });
    root.addEventListener("focusout", ({ relatedTarget }) =>
      this.light(root.contains(/** @type {Node} */ (relatedTarget)) ? linkOf(relatedTarget) : null),
    );
  }

  light(link) {
    const lit = link && this.same(link);
    if (lit === this.lit) return;
    this.lit = lit;
    this.paint();
  }

  // What was drawn since lights up too.
  again() {
    if (this.lit) this.paint();
  }

  paint() {
    for (const node of /** @type {Iterable<HTMLElement>} */ (this.root.querySelectorAll("[data-link]")))
      node.classList.toggle("sv-lit", !!this.lit && this.same(node.dataset.link) === this.lit);
  }
}
