// Controls: clock, faults, account, export and reset, of the chosen account or the whole sandbox.
import { AccountData } from "./account_data.js";
import { AccountSettings } from "./account_settings.js";
import { accountTitle } from "./accounts.js";
import { Faults } from "./faults.js";
import { clockNow, formatDuration, formatTime } from "./format.js";
import { html } from "./preact.js";
import { store } from "./store.js";
import { advance } from "./time.js";

const UNITS = { seconds: 1, minutes: 60, hours: 3600, days: 86400 };

export function Controls() {
  const account = store.accounts.find(({ id }) => id === store.account?.id) ?? store.account;
  const scope = account ? `of ${accountTitle(account)}` : "of the whole sandbox";
  return html`<div class="page">
    <${Clock} scope=${scope} /><${Faults} scope=${scope} />
    <${AccountSettings} /><${AccountData} scope=${scope} /></div>`;
}

function Clock({ scope }) {
  const { clock } = store;
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    advance({ seconds: Number(form.get("amount")) * UNITS[form.get("unit")] });
  };
  const submitTime = (event) => {
    event.preventDefault();
    // The field leaves out seconds that are zero.
    advance({ to: new Date(`${new FormData(event.target).get("to")}Z`).toISOString() });
  };
  return html`<section class="card" aria-labelledby="clock">
    <h2 id="clock">Clock <span class="muted">${scope}</span></h2>
    ${clock && html`<${ClockFacts} clock=${clock} />`}
    <form class="buttons" onSubmit=${submit}>
      <label>Advance by <input name="amount" type="number" min="0" step="any" defaultValue="1"
        required data-testid="advance-amount" /></label>
      <label><span class="hidden">Unit</span><select name="unit" data-testid="advance-unit">
        ${Object.keys(UNITS).map((unit) => html`
          <option value=${unit} selected=${unit === "minutes"}>${unit}</option>`)}</select></label>
      <button data-testid="advance">Advance</button>
      <button type="button" onClick=${() => advance({ seconds: 3 })}
        data-testid="advance-3">+3 s</button>
      <button type="button" onClick=${() => advance({ seconds: 3600 })}>+1 h</button>
      <button type="button" onClick=${() => advance({ seconds: 86400 })}>+1 d</button>
      ${clock?.frozen
        ? html`<${ClockButton} action="resume" label="Resume" doneText="Clock resumed" />`
        : html`<${ClockButton} action="freeze" label="Freeze" doneText="Clock frozen" />`}
    </form>
    <form class="buttons" onSubmit=${submitTime}>
      <label>Advance to <input name="to" type="datetime-local" step="1" required
        data-testid="advance-to" /> UTC</label>
      <button data-testid="advance-there">Advance</button>
      <button type="button" onClick=${() => advance({ until: "next" })} data-testid="advance-next">
        To what is due next</button>
      <button type="button" onClick=${() => advance({ until: "idle" })} data-testid="advance-idle">
        Until nothing is due</button>
    </form></section>`;
}

function ClockFacts({ clock }) {
  const { frozen, aheadSeconds } = clock;
  const isAhead = aheadSeconds >= 1; // less is the time that the requests of a page take
  return html`<dl class="facts" data-testid="clock-facts">
    <dt>Now</dt><dd>${formatTime(new Date(clockNow(clock)).toISOString())}
      ${frozen && html` <strong class="status failed">frozen</strong>`}</dd>
    <dt>Ahead</dt>
    <dd>${isAhead ? `${formatDuration(aheadSeconds)} ahead of real time` : "same as real time"}</dd>
  </dl>`;
}

function ClockButton({ action, label, doneText }) {
  const run = () => store.controlWithNotice("POST", `/clock/${action}`, undefined, doneText);
  return html`<button type="button" onClick=${run} data-testid=${action}>${label}</button>`;
}
