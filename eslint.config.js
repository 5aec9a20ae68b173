import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/plotly*.js", "**/*.min.js", "**/words.js", "**/.venv/"] },
  js.configs.recommended,
  {
    files: ["seqviz/**/*.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "max-len": ["error", { code: 120, ignoreUrls: true, ignoreStrings: true }],
    },
  },
  {
    // A picture knows no page but its own element: what a page has is asked of the host (host.js).
    files: ["seqviz/scope/web/*.js"],
    rules: {
      "no-restricted-globals": [
        "error",
        "location",
        "history",
        "window",
        "parent",
        "top",
        "localStorage",
        "sessionStorage",
      ],
      "no-restricted-properties": [
        "error",
        ...["body", "head", "documentElement", "title", "cookie", "querySelector", "querySelectorAll"].map(
          (property) => ({
            object: "document",
            property,
          }),
        ),
        { object: "document", property: "addEventListener" },
        { object: "import", property: "meta" },
      ],
    },
  },
  {
    files: ["tests/web/**/*.js", "*.js"],
    languageOptions: { ecmaVersion: 2024, globals: { ...globals.node, document: "writable" } },
  },
];
