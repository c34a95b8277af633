// What somebody has typed into the composer and not sent, kept in this tab until it is sent or they sign out: in the page's
// own storage, never on the server. Passwords and files are no part of it, and raw requests keep none: their headers may
// hold credentials.

const UNSENT = "draft:";
const BEGINS_ANEW = new Set(["operation", "project"]); // an address that says more brings what to begin with
const PAUSE = 300; // milliseconds

function fieldsOf(form) {
  return [...form.elements].filter(({ name, type }) => /^(?:[pkvj]\.|body$|project$)/.test(name) && !["password", "file", "hidden"].includes(type));
}

function written(form) {
  return fieldsOf(form).map(({ name, value }) => [name, value]);
}

// Put what was typed back into the fields, one after another where several have one name; `addRow` makes another pair.
function fill(form, values, addRow) {
  const left = Map.groupBy(values, ([name]) => name);
  for (const [name, found] of left) {
    let fields = fieldsOf(form).filter((field) => field.name === name);
    while (fields.length && fields.length < found.length && name.startsWith("k.")) {
      addRow(fields[0].closest("fieldset").querySelector("[data-more-rows]"));
      fields = fieldsOf(form).filter((field) => field.name === name);
    }
    fields.forEach((field, place) => {
      if (found[place] && !(field.matches("select") && ![...field.options].some(({ value }) => value === found[place][1]))) {
        [, field.value] = found[place];
      }
    });
  }
  for (const details of form.querySelectorAll("details")) {
    if (fieldsOf(form).some((field) => details.contains(field) && field.value)) details.open = true;
  }
  // the request beside it is made anew, once htmx listens; what it says until then is about an empty form
  for (const one of document.querySelectorAll("#request [data-of]")) one.remove();
  document.addEventListener("htmx:after:process", () => form.dispatchEvent(new Event("input")), { once: true });
}

function offerToForget(form, key) {
  const says = document.createElement("p");
  says.className = "quiet small draft";
  says.setAttribute("role", "status");
  says.textContent = "As you left it, not sent. ";
  const anew = document.createElement("button");
  anew.type = "button";
  anew.className = "quiet-button";
  anew.textContent = "Start over";
  anew.addEventListener("click", () => {
    sessionStorage.removeItem(key);
    location.assign(location.href);
  });
  says.append(anew);
  form.prepend(says);
}

export function keepDrafts(form, addRow) {
  const unsent = UNSENT + form.dataset.draft;
  const untouched = JSON.stringify(written(form));
  const isNew = [...new URLSearchParams(location.search).keys()].every((name) => BEGINS_ANEW.has(name)) && location.search;
  const kept = sessionStorage.getItem(unsent);
  if (isNew && kept && kept !== untouched) {
    fill(form, JSON.parse(kept), addRow);
    offerToForget(form, unsent);
  } else if (!location.search) sessionStorage.setItem(unsent, untouched); // what the checks have stopped
  let pause = 0;
  const keep = () => {
    clearTimeout(pause);
    pause = 0;
    sessionStorage.setItem(unsent, JSON.stringify(written(form)));
  };
  form.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(keep, PAUSE);
  });
  form.addEventListener("submit", keep);
  addEventListener("pagehide", () => { if (pause) keep(); });
  // the address of what was sent brings it back from then on
  form.addEventListener("composer:sent", () => {
    clearTimeout(pause);
    pause = 0;
    sessionStorage.removeItem(unsent);
    form.querySelector(".draft")?.remove();
  });
}

export function forgetDrafts() {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(UNSENT)) sessionStorage.removeItem(key);
  }
}
