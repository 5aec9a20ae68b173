// plotly.js as a script of the page, asked for once.

import { tr } from "../language.js";

let loading;

/**
 * @param {string} address
 * @returns {Promise<any>}
 */
export function plotlyFrom(address) {
  loading ??= new Promise((resolve, reject) => {
    const tag = document.createElement("script");
    tag.src = address;
    tag.onload = () => resolve(/** @type {any} */ (window).Plotly);
    tag.onerror = () => reject(new Error(tr("The drawing library could not be loaded.")));
    document.head.append(tag);
  });
  return loading;
}
