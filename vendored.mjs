// What pages take from npm's packages, copied to static/vendor by set-up and by the image.
import { copyFileSync, mkdirSync } from "node:fs";
import { basename } from "node:path";

const LETTERS = "@fontsource-variable/inter/files";
const TAKEN = [
  "htmx.org/dist/htmx.min.js", "chart.js/dist/chart.umd.min.js", "modern-normalize/modern-normalize.css",
  `${LETTERS}/inter-latin-wght-normal.woff2`, `${LETTERS}/inter-latin-ext-wght-normal.woff2`,
];

mkdirSync("static/vendor", { recursive: true });
for (const file of TAKEN) {
  copyFileSync(`node_modules/${file}`, `static/vendor/${basename(file)}`);
}
