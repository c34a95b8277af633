// What the composer gains by JavaScript: opening a call that was picked, rows without a round trip, JSON in colours, and
// what the checks say beside the fields while somebody types. Everything here works without it, a request later.

import "./body_file.js";
import { keepDrafts } from "./drafts.js";
import "./sending.js";

// A text without an end goes on to the end, so that no character is looked at twice.
const TOKEN = /("(?:[^"\\]|\\[^])*(?:"|\\?$))(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;
const COLOURED = 60000; // characters; what is longer stays plain

function colour(area) {
  const field = area.parentElement;
  let shown = field.querySelector("pre");
  if (!shown) {
    shown = document.createElement("pre");
    shown.setAttribute("aria-hidden", "true");
    field.append(shown);
    area.addEventListener("scroll", () => { shown.scrollTop = area.scrollTop; });
  }
  shown.replaceChildren();
  field.classList.toggle("is-coloured", area.value.length <= COLOURED);
  if (area.value.length > COLOURED) return;
  let at = 0;
  for (const found of area.value.matchAll(TOKEN)) {
    const [, text, colon, number] = found;
    const span = document.createElement("span");
    span.className = `json-${colon ? "name" : text ? "text" : number ? "number" : "word"}`;
    span.textContent = text ?? found[0];
    shown.append(area.value.slice(at, found.index), span, colon ?? "");
    at = found.index + found[0].length;
  }
  shown.append(`${area.value.slice(at)}\n`);
  shown.scrollTop = area.scrollTop;
}

function addRow(button) {
  const rows = button.parentElement.querySelectorAll(".pair");
  const row = rows[rows.length - 1].cloneNode(true);
  for (const input of row.querySelectorAll("input")) {
    input.value = "";
    input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/\d{1,9}$/, String(rows.length + 1)));
  }
  button.before(row);
  return row;
}

// What the checks say, put beside the field that each is about.
function place() {
  const form = document.getElementById("compose");
  if (document.querySelector("#request[data-stopped]")) form.dataset.stopped = "";
  const found = [...document.querySelectorAll("#request [data-of]")];
  for (const field of document.querySelectorAll("#compose [data-field]")) {
    const name = field.dataset.field;
    const mine = found.filter(({ dataset: { of } }) => of === name || of.startsWith(`${name}.`) || of.startsWith(`${name}[`));
    const wrong = mine.filter((one) => !one.classList.contains("note"));
    // nobody is told about a field that they have not come to yet
    const touched = "stopped" in form.dataset || [...field.querySelectorAll("input, textarea, select")].some((one) => one.value.trim());
    field.querySelector("[data-says]").replaceChildren(...(touched ? mine : []).map((one) => {
      const says = document.createElement("p");
      says.className = one.classList.contains("note") ? "hint" : "wrong";
      if (says.className === "wrong") says.append(one.querySelector(".icon").cloneNode(true), " ");
      says.append(one.dataset.says);
      return says;
    }));
    field.classList.toggle("is-wrong", touched && wrong.length > 0);
  }
  if (!found.some((one) => !one.classList.contains("note"))) document.getElementById("stops")?.remove();
}

document.addEventListener("input", ({ target }) => {
  if (target.matches("textarea[data-json]")) colour(target);
  if (target.matches("[data-pick] input") && [...target.list.options].some(({ value, text }) => value === target.value || text === target.value)) target.form.requestSubmit();
});

// A time as people read it: the request beside the form knows what was typed.
function showMoments() {
  for (const { dataset: { momentOf }, textContent } of document.querySelectorAll("#request [data-moment-of]")) {
    const shown = document.querySelector(`#compose [data-field="${CSS.escape(momentOf)}"] [data-moment]`);
    if (shown) shown.textContent = textContent;
  }
}

// A time from the browser's own calendar, which Mixpanel is told in UTC.
document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-picks]") || !target.value) return;
  const field = target.closest("[data-field]").querySelector("input");
  field.value = new Date(target.value).toISOString();
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

document.addEventListener("click", ({ target }) => {
  if (!target.matches("[data-now]")) return;
  const field = target.closest("[data-field]").querySelector("input");
  field.value = Math.floor(Date.now() / 1000);
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-more-rows]");
  if (!button) return;
  event.preventDefault();
  addRow(button).querySelector("input").focus();
});

document.addEventListener("composer:sent", () => { delete document.getElementById("compose").dataset.stopped; });

document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form[data-draft]");
  if (form) keepDrafts(form, addRow);
  document.querySelectorAll("textarea[data-json]").forEach(colour);
  for (const label of document.querySelectorAll("[data-calendar]")) label.hidden = false;
});
document.addEventListener("htmx:after:swap", () => {
  if (!document.getElementById("compose")) return;
  place();
  showMoments();
});
