// What a page gains by JavaScript: copying, fresh relative times, the key that leads to the search, charts from tables.
// Everything here is an addition; each page reads and works without it. Modules: none of them sees another's names.

import { drawCharts } from "./charts.js";
import { copy } from "./copying.js";
import { forgetDrafts } from "./drafts.js";
import "./lists.js";
import { freshenTimes } from "./times.js";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select, [contenteditable]");
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const wanted = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (wanted) {
    event.preventDefault();
    wanted.focus();
  }
});

function dress(root) {
  freshenTimes(root);
  drawCharts(root);
}

document.addEventListener("submit", ({ target }) => {
  if (target.matches("[data-sign-out]")) forgetDrafts();
});

document.addEventListener("DOMContentLoaded", () => {
  dress(document);
  if (document.querySelector("[data-signs-in]")) forgetDrafts(); // nobody is signed in
});
document.addEventListener("htmx:after:swap", () => dress(document));
setInterval(() => freshenTimes(), 10_000);
