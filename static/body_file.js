// A body from a file is kept by the relay as soon as it is chosen, once: the form has a key of it from then on, so that
// what is asked for while somebody types stays small. Without this it goes along with the form.

const WITH_WORDS = new Set([200, 422]);
const BROKEN = "The file did not arrive. Choose it again.";
const TOO_LARGE = "The file is larger than 100 MB, which is all that can be sent.";
const LARGEST = 100 * 1024 * 1024;

function say(place, words, isWrong) {
  const says = document.createElement("p");
  says.setAttribute("role", isWrong ? "alert" : "status");
  if (isWrong) says.className = "wrong";
  says.textContent = words;
  place.querySelector("#body-upload-says").replaceChildren(says);
  return says;
}

function show(place, answer, form) {
  const found = new DOMParser().parseFromString(answer, "text/html").getElementById("body-file");
  place.replaceWith(found);
  found.querySelector("[type=file]").focus({ preventScroll: true });
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

function keep(input) {
  const { form, files: [file] } = input;
  const place = input.closest("#body-file");
  if (!file) return;
  if (file.size > LARGEST) {
    say(place, TOO_LARGE, true);
    form.dispatchEvent(new Event("input", { bubbles: true }));
    return;
  }
  const sent = new FormData();
  for (const name of ["csrf_token", "operation", "body_file"]) {
    const field = form.elements.namedItem(name);
    if (field) sent.append(name, field.value);
  }
  sent.append(input.name, file);
  const call = new XMLHttpRequest();
  const says = say(place, "Sending the file…", false);
  call.upload.addEventListener("progress", ({ loaded, total }) => {
    says.textContent = loaded < total ? `Sending the file: ${Math.floor((100 * loaded) / total)} %` : "Looking through it…";
  });
  call.addEventListener("load", () => {
    if (WITH_WORDS.has(call.status)) show(place, call.responseText, form);
    else say(place, call.status === 413 ? TOO_LARGE : BROKEN, true);
  });
  call.addEventListener("error", () => say(place, BROKEN, true));
  call.open("POST", input.dataset.keeps);
  call.setRequestHeader("HX-Request", "true");
  call.send(sent);
  Object.assign(input, { value: "" }); // it has left, and must not leave again
}

// Before anybody else hears of it: a preview would take the file along.
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    if (!event.target.matches("[data-keeps]")) return;
    event.stopImmediatePropagation();
    if (kind === "change") keep(event.target);
  }, true);
}
