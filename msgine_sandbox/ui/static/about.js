// The line below every view: the version, the base URL, and where to read about them.
import { BASE_PATH, callControlApi } from "./api.js";
import { CopyButton } from "./components.js";
import { html, useEffect, useState } from "./preact.js";
import { ROOT } from "./root.js";
import { ThemeChoice } from "./theme.js";

export function About({ connection }) {
  const [version, setVersion] = useState("");
  // Again after a connection was lost: another version may have been started.
  useEffect(() => {
    callControlApi("GET", "/health").then((health) => setVersion(health.version), () => {});
  }, [connection]);
  const baseUrl = location.origin + BASE_PATH;
  return html`<footer class="about" data-testid="about">
    <span><span class="label">msgine-sandbox </span>${version}</span>
    <span>Base URL <code class="url">${baseUrl}</code>${" "}
      <${CopyButton} label="Copy" text=${() => baseUrl} testid="copy-base-url" /></span>
    <a href=${`${ROOT}/docs/api`}>API<span class="label"> reference</span></a>
    <a href=${`${ROOT}/docs/`} data-testid="docs">Docs</a>
    <${ThemeChoice} /></footer>`;
}
