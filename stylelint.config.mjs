// What `make lint-styles` asks of our stylesheets: the standard rules, but for what is said here.
export default {
  extends: "stylelint-config-standard",
  ignoreFiles: ["static/vendor/**"],
  reportDescriptionlessDisables: true,
  reportInvalidScopeDisables: true,
  reportNeedlessDisables: true,
  rules: {
    "color-hex-length": "long", // static/charts.js appends two digits for how much shines through
    "no-descending-specificity": null, // it compares parts of pages that never meet, such as `.menu a` and `.tabs a:hover`
  },
};
