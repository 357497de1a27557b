// What accounts are called: by the name that somebody gave them, or else by their token.
import { callControlApi } from "./api.js";
import { html } from "./preact.js";
import { store } from "./store.js";
import { visibleText } from "./text.js";

// What the page knows of an account that is named by its id.
export function knownAccount(id) {
  return store.accounts.find((account) => account.id === id);
}

// The name, if there is one, before the token, which may be masked.
export function accountTitle({ name, token }) {
  return name ? `${name} · ${token}` : token;
}

// What an account is called where there is no room for both.
export function shortTitle(id, token) {
  return knownAccount(id)?.name || token;
}

// The token, or "" where the page only has the masked one.
export function wholeToken({ token }) {
  return token.startsWith("test_") && !token.includes("…") ? token : "";
}

// In a row of a list: whose it is, while all accounts are shown.
export function AccountOf({ entry: { account, accountId } }) {
  if (store.account || !account) return null;
  return html`<span class="of" title=${account} data-testid="account-of">
    ${visibleText(shortTitle(accountId, account))}</span>`;
}

// Choose the account that has what the chosen one has not; return whether there is one.
export async function chooseOwner(path) {
  if (!store.account) return false;
  try {
    const { account, accountId } = await callControlApi("GET", path);
    store.chooseAccount(accountId && { id: accountId, token: account }, true);
    store.notify(`It belongs to ${accountId ? `the account ${account}` : "no account"}`);
    return true;
  } catch {
    return false;
  }
}
