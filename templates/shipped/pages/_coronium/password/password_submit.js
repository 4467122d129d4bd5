// Helps with the forms of Coronet's pages. Everything works without it.
"use strict";

const SHORTEST = 8;
const LONGEST = 128;

// The page is in English or German.
const GERMAN = document.documentElement.lang === "de";
const say = (english, german) => (GERMAN ? german : english);

// Where this tab remembers the code, because phones forget a page in the background and load it again.
const KEPT = "coronet-reset-code";
const kept = store("getItem");

const reset = document.querySelector("[data-reset]");
if (reset) {
  store("setItem", reset.elements.code.value);
} else if (document.querySelector("[data-done], [data-dead]")) {
  store("removeItem");
}
if (document.querySelector("[data-dead]") && kept && !location.search) {
  location.replace(`${location.pathname}?code=${encodeURIComponent(kept)}`);
} else if (document.querySelector("form") && location.search.includes("code=")) {
  // It has no business in the address bar, the history or a screenshot.
  history.replaceState(null, "", location.pathname);
} else {
  // A form that was refused is the answer to a POST: going back to it asks the address again, and sends nothing twice.
  history.replaceState(null, "", location.href);
}

for (const form of document.querySelectorAll("form")) {
  form.noValidate = true;
  form.addEventListener("submit", (event) => submit(form, event));
}
for (const button of document.querySelectorAll("[data-show]")) {
  button.hidden = false;
  button.addEventListener("click", () => toggle(button));
}
for (const form of document.querySelectorAll("[data-reset]")) {
  form.elements.password.addEventListener("input", () => rate(form));
}
// A page that the browser kept and shows again may be sent again.
addEventListener("pageshow", () => document.querySelectorAll("form").forEach(release));

function submit(form, event) {
  if (form.dataset.busy) {
    event.preventDefault();
    return;
  }
  const fields = [...form.elements].filter((field) => field.id);
  const wrong = fields.filter((field) => !tell(field, mistake(form, field)));
  if (wrong.length > 0) {
    event.preventDefault();
    wrong[0].focus();
    return;
  }
  // A password manager looks for fields of this kind.
  for (const button of form.querySelectorAll("[aria-pressed='true']")) toggle(button);
  form.dataset.busy = "true";
  const button = form.querySelector(".go");
  button.dataset.text = button.textContent;
  button.textContent = button.dataset.busy;
  button.setAttribute("aria-disabled", "true");
}

function release(form) {
  const button = form.querySelector(".go");
  delete form.dataset.busy;
  if (button && button.dataset.text) {
    button.textContent = button.dataset.text;
    button.removeAttribute("aria-disabled");
  }
}

// A browser may keep nothing at all.
function store(action, ...value) {
  try {
    return sessionStorage[action](KEPT, ...value);
  } catch {
    return null;
  }
}

// What is wrong with a field, or nothing.
function mistake(form, field) {
  const length = [...field.value].length;
  if (field.id === "password") {
    if (length === 0) return say("Choose a password.", "Wählen Sie ein Passwort.");
    if (length < SHORTEST) return say(`This is too short: ${SHORTEST} characters at least.`, `Das ist zu kurz: mindestens ${SHORTEST} Zeichen.`);
    if (length > LONGEST) return say(`This is too long: ${LONGEST} characters at most.`, `Das ist zu lang: höchstens ${LONGEST} Zeichen.`);
  } else if (field.id === "password_confirm") {
    if (length === 0) return say("Type the password once more.", "Geben Sie das Passwort noch einmal ein.");
    if (field.value !== form.elements.password.value) return say("The two are not the same.", "Die beiden sind nicht gleich.");
  } else if (field.id === "email" && !/^[^\s@]+@[^\s@]+$/.test(field.value.trim())) {
    return say(
      "This is not an email address. It looks like name@example.com.",
      "Das ist keine E-Mail-Adresse. Sie sieht aus wie name@example.com.",
    );
  } else if (field.id === "scope" && length === 0) {
    return say("Which app is the password for?", "Für welche App ist das Passwort?");
  }
  return "";
}

// Shows the mistake beside its field, and takes it away as soon as the field changes.
function tell(field, text) {
  const place = document.getElementById(`${field.id}-problem`);
  if (!place) return true;
  place.textContent = text;
  const others = (field.getAttribute("aria-describedby") || "").split(" ").filter((id) => id && id !== place.id);
  if (text) {
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", [place.id, ...others].join(" "));
    field.addEventListener("input", () => tell(field, ""), { once: true });
    return false;
  }
  field.removeAttribute("aria-invalid");
  if (others.length > 0) field.setAttribute("aria-describedby", others.join(" "));
  else field.removeAttribute("aria-describedby");
  return true;
}

function toggle(button) {
  const field = document.getElementById(button.dataset.show);
  const show = field.type === "password";
  field.type = show ? "text" : "password";
  button.textContent = show ? say("Hide", "Verbergen") : say("Show", "Zeigen");
  button.setAttribute("aria-pressed", String(show));
  field.focus();
}

function rate(form) {
  const bar = form.querySelector("[data-strength]");
  const hint = form.querySelector("[data-hint]");
  hint.dataset.text ??= hint.textContent;
  const value = form.elements.password.value;
  const known = [form.dataset.app, form.dataset.user];
  const level = strength(value, known);
  bar.hidden = value === "";
  bar.dataset.level = level;
  hint.textContent = value === "" ? hint.dataset.text : words(value, level);
}

// 0 to 4. A guess for the eye; the server decides.
function strength(value, known) {
  let text = value.toLowerCase();
  for (const word of known.flatMap((name) => (name || "").toLowerCase().split(/[^\p{L}\p{N}]+/u))) {
    if (word.length > 2) text = text.replaceAll(word, "");
  }
  // Repetitions, and runs such as abc and 321, add little.
  let worth = 0;
  let previous = 0;
  for (const character of text) {
    const point = character.codePointAt(0);
    worth += Math.abs(point - previous) <= 1 ? 0.25 : 1;
    previous = point;
  }
  const kinds = [/\p{L}/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter((kind) => kind.test(value)).length;
  const distinct = new Set(text).size;
  worth = Math.min(worth, distinct * 1.7) + (kinds - 1) * 1.5;
  if ([...value].length < SHORTEST) return 0;
  if (worth < 8) return 1;
  if (worth < 12) return 2;
  return worth < 16 ? 3 : 4;
}

function words(value, level) {
  const missing = SHORTEST - [...value].length;
  if (missing === 1) return say("One more character.", "Noch ein Zeichen.");
  if (missing > 0) return say(`${missing} more characters.`, `Noch ${missing} Zeichen.`);
  return say(
    ["", "Easy to guess. Make it longer.", "Fair. A word more makes it good.", "Good.", "Very good."],
    ["", "Leicht zu erraten. Machen Sie es länger.", "Ordentlich. Ein Wort mehr macht es gut.", "Gut.", "Sehr gut."],
  )[level];
}
