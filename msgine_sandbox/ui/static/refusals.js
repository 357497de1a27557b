// What a row says of a request: to whom, and why it was refused.
import { formatCount } from "./format.js";
import { html } from "./preact.js";
import { store } from "./store.js";
import { previewText } from "./text.js";

export function Recipients({ entry: { to, recipientCount } }) {
  if (!to.length) return null;
  return html`<span><bdi>${previewText(to[0])}</bdi>
    ${recipientCount > 1 && html` and ${formatCount(recipientCount - 1)} more`}</span>`;
}

// The value of the field that is wrong, the message, and what was expected.
export function Reason({ entry: { status, fault, error, to } }) {
  if (status === null) {
    const magic = to.map((each) => store.definitions.magicName(each)).find(Boolean);
    const cause = magic ? `magic recipient ${magic}` : `fault ${fault}`;
    return html`<span>closed without a response${fault && `, by the ${cause}`}</span>`;
  }
  if (!error) return null;
  const { field, value, message, expected } = error;
  const given = value === null ? "" : `${field} ${JSON.stringify(value)}: `;
  const text = `${given}${message ?? ""}${expected ? `, expected ${expected}` : ""}`;
  return html`<span>${previewText(text)}</span>`;
}
