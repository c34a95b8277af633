// Passkeys: before such a form is sent, the browser asks the device, and its answer goes with the form.

const SAYS = {
  NotAllowedError: "The device has not confirmed it. Try again.",
  InvalidStateError: "This device has a passkey for you already.",
  SecurityError: "The browser keeps no passkeys for this address. PUBLIC_URL and the address above have to be the same.",
};
const TOO_OLD = "This browser cannot be asked for passkeys. Use a newer one, or a code.";

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", ask);
  form.hidden = form.hidden && !globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON;
}

async function ask(event) {
  const form = event.target;
  event.preventDefault();
  say(form, "");
  form.querySelector("[type=submit]").disabled = true;
  try {
    fill(form, await answered(form));
    form.submit();
  } catch (error) {
    const denied = error.name === "NotAllowedError" ? form.dataset.passkeyDenied : "";
    say(form, denied || (SAYS[error.name] ?? error.message));
    form.querySelector("[type=submit]").disabled = false;
  }
}

function answered(form) {
  if (!globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON) throw new Error(TOO_OLD);
  return form.dataset.passkey === "create" ? made(form) : shown(form);
}

async function made(form) {
  const options = JSON.parse(form.dataset.passkeyOptions);
  return { credential: await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }) };
}

// The challenge is fetched when the button is pressed: it lasts some minutes, and a page may stay open for longer.
async function shown(form) {
  const answer = await fetch(form.dataset.passkeyChallenge, { method: "POST", body: new FormData(form) });
  const { begun, options, error } = await answer.json();
  if (error) throw new Error(error);
  return {
    begun,
    credential: await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
  };
}

// `begun` names the challenge, where it came with the answer and not with the page.
function fill(form, { begun, credential }) {
  if (begun) form.elements.begun.value = begun;
  form.elements.credential.value = JSON.stringify(credential.toJSON());
}

function say(form, words) {
  const line = form.querySelector("[data-passkey-wrong]");
  line.textContent = words;
  line.hidden = !words;
}
