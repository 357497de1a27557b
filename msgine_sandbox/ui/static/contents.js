// What a person takes out of a message: its one-time code and its links.
import { CopyButton } from "./components.js";
import { plural } from "./format.js";
import { html } from "./preact.js";
import { visibleText } from "./text.js";

// Hosts that no recipient reaches: this machine, private networks, names without a public domain.
const LOCAL_HOST = new RegExp([
  "[^.:]+", ".+\\.(?:localhost|local|internal|test|invalid|lan|home\\.arpa)",
  "(?:0|10|127|169\\.254|192\\.168|172\\.(?:1[6-9]|2\\d|3[01]))(?:\\.\\d+)+",
  "\\[(?:::1?|f[cd].*|fe[89ab].*)\\]",
].map((each) => `^${each}$`).join("|"));

// The code, as large as it is looked for; other numbers that can be it are beside it.
export function Codes({ codes }) {
  if (!codes?.length) return null;
  return html`<div class="codes" data-testid="codes">${codes.map((code, n) => html`
    <span class=${n ? "muted" : "first"}>
      ${n === 1 && "or "}<code data-testid="code">${code}</code>${" "}
      <${CopyButton} label="Copy code" text=${() => code} testid="copy-code" /></span>`)}</div>`;
}

// Each link in full, to be read before it is opened.
export function Links({ links }) {
  return html`<ul class="rows links" data-testid="links">${links.map((link) => html`
    <li class="split"><bdi dir="ltr">${visibleText(link)}</bdi>
      <span><${CopyButton} label="Copy link" text=${() => link} testid="copy-link" />${" "}
        ${/^https?:/i.test(link) && html`<a class="button" href=${link} target="_blank"
          rel="noopener noreferrer" title="Open in a new tab">Open</a>`}</span></li>`)}</ul>`;
}

// Say which links lead nowhere for the recipient, or return null where none does.
export function localLinksText(urls = []) {
  const hosts = urls.map(hostOf).filter((host) => host && LOCAL_HOST.test(host.hostname));
  if (!hosts.length) return null;
  const names = [...new Set(hosts.map(({ host }) => host))].join(", ");
  const count = plural(hosts.length, "link");
  return `${count} to this machine or a private network, which no recipient reaches: ${names}`;
}

function hostOf(link) {
  try {
    const { host, hostname } = new URL(link);
    return { host, hostname: hostname.replace(/\.$/, "") };
  } catch {
    return null;
  }
}
