// Rules for the page's JavaScript. Run by `make check-js` from the root of the repository.
import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/preact.js"] }, // vendored: decision 63
  js.configs.recommended,
  {
    files: ["**/*.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }], // `== null` also finds undefined
      "max-len": ["error", { code: 100, ignoreRegExpLiterals: true }],
      "max-lines": ["error", 400],
      "no-shadow": "error",
      "no-unused-vars": ["error", { ignoreRestSiblings: true }],
      "no-use-before-define": ["error", { functions: false, variables: false }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-arrow-callback": "error",
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
];
