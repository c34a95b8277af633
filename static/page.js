// What a page gains by JavaScript: copying, fresh relative times, keys, a search over it, charts from tables, lists that
// change in their place.
// Everything here is an addition; each page reads and works without it. Modules: none of them sees another's names.

import { showNeeding } from "./attention.js";
import { drawCharts } from "./charts.js";
import { copy } from "./copying.js";
import { forgetDrafts } from "./drafts.js";
import "./keys.js";
import "./loading.js";
import "./lists.js";
import { forgetVisits, noteVisit } from "./palette.js";
import "./json.js";
import { freshenTimes, sayZone } from "./times.js";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (button) copy(button);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const { key } = event;
  if (["ArrowDown", "ArrowUp", "Home", "End"].includes(key)) moveInMenu(event);
  if (key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// The arrows go from one entry of an open menu to the next, and from its last to its first.
function moveInMenu(event) {
  const menu = event.target.closest?.("details.menu[open]");
  if (!menu || event.target.matches("input, select, textarea")) return;
  event.preventDefault();
  const entries = [...menu.querySelectorAll("a[href], button")].filter((entry) => entry.checkVisibility());
  const step = event.key === "ArrowUp" ? -1 : 1;
  const at = entries.indexOf(event.target);
  const next = { Home: 0, End: -1 }[event.key] ?? (at < 0 && step < 0 ? -1 : at + step);
  entries.at(next % entries.length)?.focus();
}

// Where tabs are wider than a phone, the present one comes into view; the page itself stays where it is.
function showPresentTab(root) {
  for (const tab of root.querySelectorAll(".tabs [aria-current]")) {
    const row = tab.closest("ul");
    row.scrollLeft = tab.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  }
}

function dress(root) {
  showPresentTab(root);
  freshenTimes(root);
  drawCharts(root);
}

// Whoever comes next to this tab finds nothing of what was typed and looked at before.
function forget() {
  forgetDrafts();
  forgetVisits();
}

document.addEventListener("submit", ({ target }) => {
  if (target.matches("[data-sign-out]")) forget();
});

document.addEventListener("DOMContentLoaded", () => {
  dress(document);
  noteVisit();
  if (document.querySelector("[data-signs-in]")) forget(); // nobody is signed in
});
document.addEventListener("htmx:after:swap", () => {
  dress(document);
  showNeeding();
});
sayZone();
setInterval(() => freshenTimes(), 10_000);
