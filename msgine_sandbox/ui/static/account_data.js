// What the account, or the whole sandbox, has as files; and deleting it.
import { ConfirmButton } from "./components.js";
import { html } from "./preact.js";
import { ROOT } from "./root.js";
import { store } from "./store.js";

export function AccountData({ scope }) {
  const reset = async () => {
    if (await store.controlWithNotice("POST", "/reset", undefined, "Reset done")) store.start();
  };
  const empty = () =>
    store.controlWithNotice("DELETE", "/messages", undefined, "The inbox is empty");
  const saveScenario = async () => {
    const scenario = await store.controlWithNotice("GET", "/scenario");
    if (scenario) save("scenario.json", scenario);
  };
  return html`<section class="card" aria-labelledby="export">
      <h2 id="export">Export <span class="muted">${scope}</span></h2>
      <p>A <a href=${`${ROOT}/docs/scenarios`}>scenario</a> has the settings, endpoints, faults
        and messages of one account, and can be loaded again.</p>
      <div class="buttons">
        <button type="button" onClick=${saveScenario} disabled=${!store.account}
          data-testid="save-scenario">Save as scenario</button>
        <button type="button" onClick=${saveMessages} data-testid="save-messages">
          Save the messages as JSON</button></div></section>
    <section class="card" aria-labelledby="reset">
      <h2 id="reset">Reset <span class="muted">${scope}</span></h2>
      <p>Deletes messages, idempotency keys, webhook endpoints and attempts, faults, devices,
        journal and coverage. Resets the clock, the rate-limit windows and the settings of the
        account.</p>
      <div class="buttons">
        <${ConfirmButton} label="Reset …" sure="Yes, delete everything" run=${reset}
          testid="reset" />
        <${ConfirmButton} label="Delete only the messages …" sure="Yes, delete the messages"
          run=${empty} testid="empty-inbox" /></div></section>`;
}

async function saveMessages() {
  const all = [];
  for (let page; !page || page.data.length < page.total;) {
    const before = page ? `&before=${all.at(-1).id}` : "";
    page = await store.controlWithNotice("GET", `/messages?limit=1000${before}`);
    if (!page) return;
    all.push(...page.data);
  }
  save("messages.json", all);
}

function save(name, content) {
  const blob = new Blob([JSON.stringify(content, null, 2)], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
}
