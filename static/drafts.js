// What somebody has typed into the composer and not sent, kept in this tab until it is sent or they sign out: in the page's
// own storage, never on the server. Passwords and files are no part of it, and raw requests keep none: their headers may
// hold credentials.

const UNSENT = "draft:";
const SENT = "sent:"; // for whoever goes back from the answer
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
  // the request beside it is made anew, once htmx listens
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
  anew.textContent = "Begin anew";
  anew.addEventListener("click", () => {
    sessionStorage.removeItem(key);
    location.assign(location.href);
  });
  says.append(anew);
  form.prepend(says);
}

export function keepDrafts(form, addRow) {
  const [unsent, sent] = [UNSENT, SENT].map((kind) => kind + form.dataset.draft);
  const untouched = JSON.stringify(written(form));
  const isBack = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  const isNew = [...new URLSearchParams(location.search).keys()].every((name) => BEGINS_ANEW.has(name)) && location.search;
  const kept = sessionStorage.getItem(unsent) ?? (isBack ? sessionStorage.getItem(sent) : null);
  if (isNew && kept && kept !== untouched) {
    fill(form, JSON.parse(kept), addRow);
    if (sessionStorage.getItem(unsent)) offerToForget(form, unsent);
  } else if (!location.search) sessionStorage.setItem(unsent, untouched); // what the checks have stopped
  let pause = 0;
  form.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => sessionStorage.setItem(unsent, JSON.stringify(written(form))), PAUSE);
  });
  form.addEventListener("submit", ({ submitter }) => {
    clearTimeout(pause);
    const isSent = submitter?.value === "send" || submitter?.name === "force";
    sessionStorage.setItem(isSent ? sent : unsent, JSON.stringify(written(form)));
    if (isSent) sessionStorage.removeItem(unsent);
  });
}

export function forgetDrafts() {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(UNSENT) || key.startsWith(SENT)) sessionStorage.removeItem(key);
  }
}
