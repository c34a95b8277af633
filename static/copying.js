// Copying a value by its button.

// What a button copies that names an element instead of a value.
const source = (button) => document.getElementById(button.dataset.copyFrom);

export async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? source(button).textContent);
  } catch { // no clipboard without https: select it, so that the keyboard can copy
    const code = source(button) ?? button.querySelector("code") ?? button.parentElement.querySelector("code");
    if (code) getSelection().selectAllChildren(code);
    return;
  }
  sayCopied(button);
}

function sayCopied(button) {
  if (button.dataset.copied) return; // its words are "copied" now, and must not be kept
  const shown = button.innerHTML;
  button.textContent = "copied";
  button.dataset.copied = "yes";
  setTimeout(() => {
    button.innerHTML = shown;
    delete button.dataset.copied;
  }, 1200);
}
