// What single keys do where nobody is typing: open the search, go to a page, move in a list, say which keys there are.

import { openPalette } from "./palette.js";

const PATIENCE = 1500; // milliseconds between `g` and the key of a page
let goes = 0; // when `g` was pressed

function move(step) {
  const rows = [...document.querySelectorAll("main tbody tr")].map((row) => row.querySelector("th a, td a")).filter(Boolean);
  if (!rows.length) return;
  const at = rows.findIndex((link) => link.closest("tr").contains(document.activeElement));
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1)];
  next.focus({ preventScroll: true });
  next.closest("tr").scrollIntoView({ block: "nearest" });
}

const KEYS = {
  "/": openPalette,
  "?": () => document.getElementById("keys")?.showModal(),
  j: () => move(1),
  k: () => move(-1),
  g: () => { goes = Date.now(); },
};

document.addEventListener("keydown", (event) => {
  const isControl = event.ctrlKey || event.metaKey;
  if (isControl && event.key.toLowerCase() === "k" && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    openPalette();
    return;
  }
  const isTyping = event.target.matches("input, textarea, select, [contenteditable]");
  if (isTyping || isControl || event.altKey || document.querySelector("dialog[open]")) return;
  const place = Date.now() - goes < PATIENCE && document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
  goes = 0;
  const does = place ? () => place.click() : KEYS[event.key];
  if (!does) return;
  event.preventDefault();
  does();
});

document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-keys]")) document.getElementById("keys").showModal();
});
