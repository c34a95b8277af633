// Copying a value by its button.

export async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch { // no clipboard without https: select it, so that the keyboard can copy
    const code = button.querySelector("code") ?? button.parentElement.querySelector("code");
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
