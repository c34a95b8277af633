// Lists that change in their place: filters, heads, other pages of them. The reader stays where they are, the address goes
// along, and the list's head takes the focus that was on what has gone.

const TYPING = 250; // milliseconds without a key, after which a list is asked for
const UNSEEN = 60_000; // milliseconds between two looks of a page that is hidden
const waiting = new WeakMap();
let asked = 0; // when the page asked for news

const isOfList = (ctx) => ctx?.select === "#list";

function takeFocus() {
  const { activeElement } = document;
  const head = document.querySelector("#list [data-list-head]:not(:empty)") ?? document.getElementById("list");
  if (!head || (activeElement && activeElement !== document.body)) return;
  head.tabIndex = -1;
  head.focus({ preventScroll: true });
  head.scrollIntoView({ block: "nearest" });
}

function ask(form, isTyping) {
  clearTimeout(waiting.get(form));
  form.toggleAttribute("data-typing", isTyping);
  form.requestSubmit();
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("form[data-filter] :is(select, [type=checkbox])")) ask(target.form, false);
});

document.addEventListener("input", ({ target }) => {
  if (!target.matches("form[data-filter] [data-live]")) return;
  clearTimeout(waiting.get(target.form));
  waiting.set(target.form, setTimeout(() => ask(target.form, true), TYPING));
});

// The whole row leads to where its name does, unless somebody marks its text or presses what is in it.
document.addEventListener("click", (event) => {
  const when = event.target.closest("[data-when]");
  const field = when && document.querySelector("form[data-filter] [name=when]");
  if (field) {
    field.value = field.value === when.dataset.when ? "" : when.dataset.when;
    ask(field.form, false);
    return;
  }
  const link = event.target.closest(".rows-lead tbody tr")?.querySelector(":is(th, .fold td) a");
  if (!link || event.target.closest("a, button, input, summary") || !getSelection().isCollapsed) return;
  if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
  else link.click();
});

// Fields that say nothing stay out of the address.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (!isOfList(ctx) || ctx.request.method !== "GET") return;
  for (const [name, value] of [...ctx.request.body]) if (!value) ctx.request.body.delete(name);
});

// Of a hidden page nobody sees more than its title and its icon: it asks for news once a minute.
document.addEventListener("htmx:before:request", (event) => {
  if (!event.target.matches("[hx-trigger^=every]")) return;
  if (document.hidden && Date.now() - asked < UNSEEN) event.preventDefault();
  else asked = Date.now();
});

// A letter more is no page to go back to, and neither is the same page again.
document.addEventListener("htmx:before:history:update", ({ detail }) => {
  const isSame = detail.history.path === location.pathname + location.search;
  if (isSame || detail.sourceElement.hasAttribute?.("data-typing")) detail.history.type = "replace";
});

// What is no such list (somebody was signed out, a page failed) is shown as the page that it is.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx, tasks } = event.detail;
  if (!isOfList(ctx) || tasks.some(({ type, fragment }) => type === "main" && fragment.childElementCount)) return;
  event.preventDefault();
  location.assign(ctx.response.raw.url);
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (isOfList(ctx)) takeFocus();
});
