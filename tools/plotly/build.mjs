// Makes seqviz/scope/web/plotly.min.js: of plotly.js what the scope draws with, lines and heatmaps.
//
//     npm ci --prefix tools/plotly && npm run build --prefix tools/plotly
//
// The version in package.json is the one that plotly.py carries (see requirements.txt), and a test holds the two alike.
import { build } from "esbuild";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const { version } = JSON.parse(readFileSync(at("node_modules/plotly.js/package.json"), "utf8"));
const licence = readFileSync(at("node_modules/plotly.js/LICENSE"), "utf8").match(/Copyright.*/)[0];
const out = at("../../seqviz/scope/web/plotly.min.js");

const { metafile } = await build({
  stdin: {
    contents: `
      const Plotly = require("plotly.js/lib/core"); // scatter is part of it
      Plotly.register([require("plotly.js/lib/heatmap")]);
      module.exports = Plotly;`,
    resolveDir: at("."),
  },
  banner: {
    js: `/*! plotly.js v${version}, scatter and heatmap\n * ${licence}\n * Licensed under the MIT license\n */`,
  },
  bundle: true,
  define: { global: "window" },
  format: "iife",
  globalName: "Plotly",
  legalComments: "inline",
  metafile: true,
  loader: { ".css": "empty" }, // the maps'
  minify: true,
  outfile: out,
  target: "es2020",
});
// Every package that is in it, with its licence.
const packages = [
  ...new Set(Object.keys(metafile.inputs).map((path) => path.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0])),
];
const licences = packages
  .filter(Boolean)
  .sort()
  .map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name} ${version}: ${license}\n\n${file ? readFileSync(`${folder}/${file}`, "utf8").trim() : ""}\n`;
  });
writeFileSync(out.replace(/\.min\.js$/, ".licences.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));
console.log(`${out}: ${statSync(out).size.toLocaleString("en")} bytes of plotly.js ${version}`);
