// Banners above every view: a lost connection, a required control token.
import { controlToken } from "./browser_storage.js";
import { html, useState } from "./preact.js";
import { store } from "./store.js";

export function ConnectionBanner({ connection }) {
  if (connection === "unauthorized") return html`<${ControlTokenForm} />`;
  const isLost = connection === "lost";
  return html`<div class=${isLost ? "lost" : "live"} role="alert" data-testid="link"
    data-link=${connection}>${isLost && "The sandbox is not responding. Reconnecting …"}</div>`;
}

function ControlTokenForm() {
  const [isWrong, setWrong] = useState(false);
  const submit = (event) => {
    event.preventDefault();
    controlToken.set(new FormData(event.target).get("token"));
    setWrong(true); // only seen if the token is refused, because this form is gone otherwise
    store.start();
  };
  return html`<form class="lost" onSubmit=${submit} data-testid="control-token">
    <label>This sandbox requires its control token, or, if it allows that, an
      account's own${" "}<input name="token" type="password" required
      pattern="[\\x21-\\x7e]+" title="printable ASCII without spaces" autofocus /></label>
    ${" "}${isWrong && "Wrong control token. "}
    <button>Continue</button></form>`;
}
