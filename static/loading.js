// What a part of a page shows while it is asked for, and where it cannot be loaded: what was there, and a way to try again.

const RETRY = 429; // too many calls; as a fault of the server, it passes

const isPoll = (element) => element.matches("[hx-trigger^=every]");

function forget(target) {
  const note = target.previousElementSibling;
  if (note?.matches("[data-not-loaded]")) note.remove();
}

function again(element) {
  if (isPoll(element)) htmx.trigger(element, "every");
  else if (element.matches("form")) element.requestSubmit();
  else element.click();
}

function say({ target, sourceElement }) {
  if (!target?.isConnected || target.hidden) return;
  forget(target);
  const says = document.createElement("p");
  says.className = "note not-loaded";
  says.setAttribute("role", "status");
  says.dataset.notLoaded = "";
  says.textContent = isPoll(sourceElement)
    ? "This could not be loaded anew; below is what was known last. "
    : "This could not be loaded; nothing has changed. ";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet-button";
  button.textContent = "Try again";
  button.addEventListener("click", () => again(sourceElement.isConnected ? sourceElement : target));
  says.append(button);
  target.before(says);
}

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (ctx.target && !isPoll(ctx.sourceElement)) ctx.target.setAttribute("aria-busy", "true");
});

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => ctx.target?.removeAttribute("aria-busy"));

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.status < 500 && ctx.response.status !== RETRY) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  say(ctx);
});

document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (ctx) say(ctx);
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  for (const note of document.querySelectorAll("[data-not-loaded]")) if (note.nextElementSibling?.id === ctx.target?.id) note.remove();
});
