// The search over any page: opened by `/` or Ctrl+K, asks as somebody types, and leads to what is chosen. What was looked at
// lately comes first, and is known to this tab alone.

const RECENT = "recent";
const MOST_RECENT = 8;
const WORTH_IT = /^\/(?:cohorts|sessions|failures|people|connections|destinations|send\/history|send\/imports)\/[^/]+$/;

const palette = () => document.getElementById("palette");
const options = () => [...document.querySelectorAll("#found [role=option]")];

// What the options answer to; nothing where they are those of lately.
const answered = () => document.getElementById("found-says")?.dataset.q ?? "";

function recent() {
  return JSON.parse(sessionStorage.getItem(RECENT) ?? "[]");
}

export function noteVisit() {
  if (!palette() || !WORTH_IT.test(location.pathname)) return;
  const word = document.querySelector("main h1")?.textContent.trim();
  if (!word) return;
  const others = recent().filter(({ path }) => path !== location.pathname);
  sessionStorage.setItem(RECENT, JSON.stringify([{ path: location.pathname, word }, ...others].slice(0, MOST_RECENT)));
}

export function forgetVisits() {
  sessionStorage.removeItem(RECENT);
}

function choose(option) {
  for (const one of options()) one.setAttribute("aria-selected", String(one === option));
  const field = document.getElementById("palette-q");
  if (option) {
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else field.removeAttribute("aria-activedescendant");
}

function showRecent() {
  const list = document.createElement("ul");
  list.id = "found";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Looked at lately");
  recent().filter(({ path }) => path !== location.pathname).forEach(({ path, word }, place) => {
    const option = document.createElement("li");
    option.id = `found-${place}`;
    option.setAttribute("role", "option");
    option.dataset.href = path;
    option.innerHTML = '<span class="word"></span> <span class="quiet small">Lately</span>';
    option.firstElementChild.textContent = word;
    list.append(option);
  });
  document.getElementById("palette-found").replaceChildren(list);
  choose(options()[0]);
}

export function openPalette() {
  const dialog = palette();
  if (!dialog || dialog.open) return;
  document.getElementById("palette-q").value = "";
  showRecent();
  dialog.showModal();
}

function open(option, elsewhere) {
  if (!option) return;
  if (elsewhere) window.open(option.dataset.href, "_blank", "noopener");
  else location.assign(option.dataset.href);
}

// Enter before the answer is here waits for it, so that a quick hand finds what it has typed.
let isAwaited = false;

document.addEventListener("keydown", (event) => {
  if (event.target.id !== "palette-q") return;
  const found = options();
  const at = found.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && found.length) choose(found[(at + step + found.length) % found.length]);
  else if (event.key === "Enter") {
    const { form } = event.target;
    if (answered() !== event.target.value.trim()) {
      isAwaited = true;
      htmx.trigger(form, "search-anew");
    } else open(found[at], event.ctrlKey || event.metaKey);
  } else return;
  event.preventDefault();
});

document.addEventListener("input", ({ target }) => {
  if (target.id === "palette-q") isAwaited = false;
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target?.id !== "palette-found") return;
  const field = document.getElementById("palette-q");
  if (!field.value.trim()) showRecent();
  choose(options()[0]);
  if (isAwaited && answered() === field.value.trim()) {
    isAwaited = false;
    open(options()[0]);
  }
});

document.addEventListener("click", (event) => {
  const option = event.target.closest("#found [role=option]");
  if (option) open(option, event.ctrlKey || event.metaKey);
  else if (event.target === palette() || event.target.id === "keys") event.target.close(); // beside the box
});
