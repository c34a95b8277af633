// What needs somebody, in the tab and beside the places of the sidebar, as a part of the page says it that came later.

const SAID = /^\d+ needs? you · /;

const needs = (count) => `${count} ${count === 1 ? "needs" : "need"} you`;

export function showNeeding() {
  const part = document.querySelector("main [data-needing]") ?? document.querySelector("[data-needing]");
  if (!part) return;
  const found = JSON.parse(part.dataset.needing);
  const title = document.title.replace(SAID, "");
  document.title = found.overview ? `${needs(found.overview)} · ${title}` : title;
  const icon = document.querySelector("link[rel=icon]");
  icon.href = found.overview ? icon.dataset.needsYou : icon.dataset.calm;
  for (const link of document.querySelectorAll("[data-place]")) {
    const count = found[link.dataset.place] ?? 0;
    const shown = link.querySelector(".count");
    shown.textContent = count || "";
    shown.hidden = !count;
    link.title = count ? needs(count) : "";
  }
}
