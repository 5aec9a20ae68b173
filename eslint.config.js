import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/plotly*.js", "**/words.js", "**/.venv/"] },
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
      "max-len": ["error", { code: 120, ignoreUrls: true, ignoreTemplateLiterals: true, ignoreStrings: true }],
    },
  },
  {
    files: ["tests/web/**/*.js", "*.js"],
    languageOptions: { ecmaVersion: 2024, globals: { ...globals.node, document: "writable" } },
  },
];
