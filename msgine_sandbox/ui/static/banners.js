// Banners above every view: a lost connection, a required control token, a frozen clock.
import { controlToken } from "./browser_storage.js";
import { html, useState } from "./preact.js";
import { store } from "./store.js";

const MOST_NAMES = 3;

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
    <label>This sandbox requires its control token <input name="token" type="password" required
      pattern="[\\x21-\\x7e]+" title="printable ASCII without spaces" autofocus /></label>
    ${isWrong && "Wrong control token."}
    <button>Continue</button></form>`;
}

export function ClockBanner({ clock }) {
  const frozenAccounts = store.account ? [] : store.accounts.filter((each) => each.clock.frozen);
  if (clock?.frozen) {
    const advance = () => store.controlWithNotice("POST", "/clock/advance", { seconds: 3 });
    const resume = () => store.controlWithNotice("POST", "/clock/resume");
    return html`<div class="frozen" role="status" data-testid="frozen">
      <strong>The clock is frozen.</strong>${" "}
      No delivery, webhook or retry happens until it is advanced or resumed.${" "}
      <button type="button" onClick=${advance}>Advance 3 s</button>${" "}
      <button type="button" onClick=${resume}>Resume</button></div>`;
  }
  if (!frozenAccounts.length) return null;
  const hiddenCount = frozenAccounts.length - MOST_NAMES;
  return html`<div class="frozen" role="status" data-testid="frozen"><strong>The clock of
    ${frozenAccounts.slice(0, MOST_NAMES).map(({ id, token }) => html` <button type="button"
      onClick=${() => store.chooseAccount({ id, token })}>${token}</button>`)}
    ${hiddenCount > 0 && ` and ${hiddenCount} more`} is frozen.</strong>${" "}
    No delivery, webhook or retry happens until it is advanced or resumed.</div>`;
}
