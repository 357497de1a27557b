// The choice of the theme, which is that of the system unless somebody has chosen one.
import { chosenTheme } from "./browser_storage.js";
import { html, useState } from "./preact.js";

const THEMES = ["system", "light", "dark"];

// Every colour of style.css is given for both schemes, and follows `color-scheme`.
export function applyTheme() {
  const theme = chosenTheme.get();
  const isScheme = theme === "light" || theme === "dark";
  document.documentElement.style.colorScheme = isScheme ? theme : "";
  return isScheme ? theme : "system";
}

export function ThemeChoice() {
  const [theme, setTheme] = useState(applyTheme);
  const choose = ({ target }) => {
    chosenTheme.set(target.value);
    setTheme(applyTheme());
  };
  return html`<label><span class="label">Theme </span>
    <select value=${theme} onChange=${choose} aria-label="Theme" data-testid="theme">
      ${THEMES.map((each) => html`<option value=${each}>${each}</option>`)}</select></label>`;
}
