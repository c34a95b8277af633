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

// What is sent to Mixpanel is not to be tried again by a press: sending.js says what is known of it.
const sends = ({ sourceElement }) => Boolean(sourceElement?.matches?.("[data-sends], [data-checks]"));
const busy = new WeakMap(); // an answer may go elsewhere than was meant: what waits is what was asked for

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (!ctx.target || isPoll(ctx.sourceElement)) return;
  busy.set(ctx, ctx.target);
  ctx.target.setAttribute("aria-busy", "true");
});

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => busy.get(ctx)?.removeAttribute("aria-busy"));

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if ((ctx.response.status < 500 && ctx.response.status !== RETRY) || sends(ctx)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  say(ctx);
});

document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (ctx && !sends(ctx)) say(ctx);
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  for (const note of document.querySelectorAll("[data-not-loaded]")) if (note.nextElementSibling?.id === ctx.target?.id) note.remove();
});
