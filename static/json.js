// Finding something in JSON that is shown, and folding all of it.

const MOST = 1000; // places that are marked
let places = [];
let at = -1;

function placesOf(root, wanted) {
  const found = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode() && found.length < MOST) {
    const text = walker.currentNode.data.toLowerCase();
    for (let from = text.indexOf(wanted); from >= 0 && found.length < MOST; from = text.indexOf(wanted, from + wanted.length)) {
      const range = new Range();
      range.setStart(walker.currentNode, from);
      range.setEnd(walker.currentNode, from + wanted.length);
      found.push(range);
    }
  }
  return found;
}

function mark(name, ranges) {
  if (ranges.length) CSS.highlights?.set(name, new Highlight(...ranges));
  else CSS.highlights?.delete(name);
}

function show(field) {
  const says = field.closest(".json-tools").querySelector("[data-found]");
  mark("found", places);
  mark("found-now", places.slice(at, at + 1));
  says.textContent = !field.value ? "" : places.length ? `${at + 1} of ${places.length}${places.length === MOST ? " or more" : ""}` : "Not there";
  const node = places[at]?.startContainer.parentElement;
  if (!node) return;
  for (let folded = node.closest("details:not([open])"); folded; folded = folded.parentElement.closest("details:not([open])")) folded.open = true;
  const box = node.closest(".json");
  box.scrollTop += node.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 2;
  box.scrollIntoView({ block: "nearest" });
}

document.addEventListener("input", ({ target }) => {
  if (!target.matches("[data-find]")) return;
  const wanted = target.value.toLowerCase();
  places = wanted ? placesOf(document.getElementById(target.dataset.find), wanted) : [];
  at = places.length ? 0 : -1;
  show(target);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("[data-find]") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  if (!places.length) return;
  at = (at + (event.shiftKey ? places.length - 1 : 1)) % places.length;
  show(event.target);
});

document.addEventListener("click", ({ target }) => {
  if (!target.matches("[data-fold]")) return;
  const isFolding = target.textContent === "Fold all";
  for (const one of document.getElementById(target.dataset.fold).querySelectorAll("details details")) one.open = !isFolding;
  target.textContent = isFolding ? "Unfold all" : "Fold all";
});
