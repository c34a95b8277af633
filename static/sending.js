// Sending as a loop: Ctrl+Enter sends, the answer comes beside the form, and what was pressed says so until then.

const WORD = "Sending…";
const SILENT = "No answer came from the relay. The history says whether the call was made.";
const EXPECTED = new Set([200, 422]);

const form = () => document.getElementById("compose");
const bar = () => document.getElementById("send-bar");
const isOurs = (source) => Boolean(source?.matches?.("[data-sends], [data-checks]"));

function say(words) {
  const says = document.createElement("p");
  says.className = "send-says";
  says.setAttribute("role", "alert");
  says.textContent = words;
  bar()?.querySelector(".send-says")?.remove();
  bar()?.prepend(says);
}

// Leads to the field that stops it, also into what is folded; the first field of several that have one name.
function fix(link) {
  const place = document.getElementById(link.hash.slice(1));
  if (!place) return;
  for (let folded = place.closest("details:not([open])"); folded; folded = folded.parentElement.closest("details:not([open])")) folded.open = true;
  const field = place.matches("input, textarea, select") ? place : place.querySelector("input, textarea") ?? place;
  field.focus({ preventScroll: true });
  field.scrollIntoView({ block: "center" });
}

document.addEventListener("keydown", (event) => {
  const isWanted = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.repeat;
  if (!isWanted || !form() || document.querySelector("dialog[open]")) return;
  const button = bar()?.querySelector("[name=do][value=send]");
  if (!button) return;
  event.preventDefault();
  button.click();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-fix]");
  if (link) {
    event.preventDefault();
    fix(link);
  }
  if (event.target.closest("[data-dismiss]")) {
    event.target.closest("[data-asks]").remove();
    bar()?.querySelector("[name=do][value=send]")?.focus({ preventScroll: true });
  }
});

// What was asked was asked of what stood there.
document.addEventListener("input", ({ target }) => {
  if (target.form?.id === "compose") document.getElementById("question")?.remove();
});

function mark(source, submitter) {
  const button = submitter ?? source;
  button.dataset.word = button.textContent;
  button.textContent = WORD;
  button.setAttribute("aria-disabled", "true");
}

function unmark(root) {
  for (const button of root.querySelectorAll("[data-word]")) {
    button.textContent = button.dataset.word;
    button.removeAttribute("aria-disabled");
    delete button.dataset.word;
  }
}

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.matches?.("[data-sends]")) mark(ctx.sourceElement, ctx.request.submitter);
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (isOurs(ctx.sourceElement)) unmark(document);
});
document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (isOurs(ctx?.sourceElement)) say(SILENT);
});
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (!isOurs(ctx.sourceElement) || EXPECTED.has(ctx.response.status)) return;
  event.preventDefault();
  say(`The relay refused it (${ctx.response.status}). Reload the page and try again.`);
});

// A form that stays in view says what stops it; whoever cannot see the answer is led to it.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (!isOurs(ctx.sourceElement)) return;
  document.querySelector("[data-asks] [autofocus]")?.focus({ preventScroll: true });
  const panel = document.querySelector(".request-panel");
  const answer = document.getElementById("answered");
  if (!panel || answer?.hidden || ctx.response.status !== 200) return;
  panel.scrollTop = 0;
  if (answer.getBoundingClientRect().top > innerHeight - 80) answer.scrollIntoView({ block: "start" });
});
