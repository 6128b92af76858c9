const KEY = "almagest-appearance";
const LOOKS = ["dark", "light", "night"];

// Brightness goes to red; green and blue are off.
const FILTER = `<svg width="0" height="0" style="position:absolute" aria-hidden="true">
  <filter id="almagest-red-only" color-interpolation-filters="sRGB">
    <feColorMatrix type="matrix" values="0.30 0.45 0.45 0 0  0 0 0 0 0  0 0 0 0 0  0 0 0 1 0"/>
  </filter></svg>`;

function chosen() {
  try {
    const look = localStorage.getItem(KEY);
    return LOOKS.includes(look) ? look : "dark";
  } catch {
    return "dark"; // storage is refused in some embedded pages
  }
}

function remember(look) {
  try { localStorage.setItem(KEY, look); } catch { /* the choice lasts as long as the page */ }
}

function pageIsDark() {
  const app = document.querySelector(".stApp");
  const rgb = getComputedStyle(app).backgroundColor.match(/\d+/g).map(Number);
  return rgb[0] + rgb[1] + rgb[2] < 382;
}

async function becomes(condition, milliseconds) {
  for (const end = Date.now() + milliseconds; Date.now() < end; ) {
    const value = condition();
    if (value) return value;
    await new Promise((done) => setTimeout(done, 25));
  }
  return null;
}

async function pressTheme(name) {
  const find = (id) => document.querySelector(`[data-testid="${id}"]`);
  const menu = await becomes(() => find("stMainMenuButton"), 5000);
  if (!menu) return;
  if (menu.getAttribute("aria-expanded") !== "true") menu.click();
  (await becomes(() => find(`stMainMenuItem-theme-${name}`), 2000))?.click();
  if (menu.getAttribute("aria-expanded") === "true") menu.click();
}

let wantsDark = true;
let switching = false;

async function setTheme(dark) {
  wantsDark = dark;
  if (switching || pageIsDark() === dark) return; // a switch under way sees what is wanted now
  switching = true;
  const root = document.documentElement;
  const focused = document.activeElement;
  root.classList.add("almagest-switching");
  // On a busy page the menu may close under the hand; then it is pressed again.
  for (let tries = 0; tries < 5 && pageIsDark() !== wantsDark; tries += 1) {
    await pressTheme(wantsDark ? "Dark" : "Light");
    await becomes(() => pageIsDark() === wantsDark, 1000);
  }
  switching = false;
  // The menu gives the focus back to its button as it closes; it belongs where it was.
  setTimeout(() => {
    if (switching) return;
    root.classList.remove("almagest-switching");
    if (focused && focused !== document.body) focused.focus();
    else document.activeElement?.blur();
  }, 300);
}

export default function ({ parentElement }) {
  if (!document.getElementById("almagest-red-only")) {
    document.body.insertAdjacentHTML("beforeend", FILTER);
  }
  const buttons = [...parentElement.querySelectorAll("button[data-look]")];

  const apply = async (look) => {
    for (const button of buttons) {
      const on = button.dataset.look === look;
      button.setAttribute("aria-checked", String(on));
      button.tabIndex = on ? 0 : -1;
    }
    document.documentElement.classList.toggle("almagest-night", look === "night");
    await setTheme(look !== "light");
  };

  for (const button of buttons) {
    button.onclick = () => { remember(button.dataset.look); apply(button.dataset.look); };
    button.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = buttons[(buttons.indexOf(button) + step + buttons.length) % buttons.length];
      next.focus();
      next.click();
    };
  }
  apply(chosen());
}
