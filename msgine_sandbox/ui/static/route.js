// The route: the fragment of the address, such as #/inbox/msg_018f3a5b00c1d2e3?q=status%3Afailed.
import { useEffect, useState } from "./preact.js";

// Under `--answers observed`, the id of a message is a UUID.
const ID = /^((msg|req|att)_[0-9a-f]{16}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

// Only these views open something by its id.
const OPENING = ["inbox", "requests", "webhooks"];

// Anybody can link to the page, and ids become parts of paths: what is no id becomes one that
// nothing has, so that the page says what it does not find.
export const NO_ID = "unknown";

function currentRoute(views) {
  const [path, query = ""] = location.hash.split("?");
  const [, name, id] = path.split("/");
  const isKnown = Object.hasOwn(views, name ?? "");
  const view = isKnown ? name : "inbox";
  return {
    view,
    namesNoView: Boolean(name) && !isKnown,
    id: id && OPENING.includes(view) ? (ID.test(id) ? id : NO_ID) : undefined,
    parameters: new URLSearchParams(query),
  };
}

export function useRoute(views) {
  const [route, setRoute] = useState(currentRoute(views));
  useEffect(() => {
    const onChange = () => setRoute(currentRoute(views));
    addEventListener("hashchange", onChange);
    return () => removeEventListener("hashchange", onChange);
  }, []);
  return route;
}

// The address of a view, or of what is open in it, with the present search and filters.
export function addressOf(view, id, parameters) {
  const query = parameters?.toString();
  return `#/${view}${id ? `/${id}` : ""}${query ? `?${query}` : ""}`;
}

// The id of the account in the address: null without one, and "" for what is no id.
export function accountInAddress() {
  const id = currentRoute({}).parameters.get("account");
  if (!id) return null;
  return /^acc_[0-9a-f]{16}$/.test(id) ? id : "";
}

// Put the id of an account into the address, or none; what is open stays only if asked.
export function replaceAccount(account, keepsOpen) {
  const [path, query = ""] = location.hash.split("?");
  const [, view, id] = path.split("/");
  const parameters = new URLSearchParams(query);
  setParameter(view || "inbox", keepsOpen ? id : null, parameters, "account", account);
}

// The address of a view as it is now, with nothing open in it.
export function addressOfList(view) {
  return addressOf(view, null, currentRoute({ [view]: true }).parameters);
}

// Go somewhere without an entry in the history of the browser, which would make "back" useless
// after ten messages or ten letters of a search.
export function replaceAddress(address) {
  history.replaceState(history.state, "", address);
  dispatchEvent(new Event("hashchange"));
}

// Change a search or a filter; an empty one is not in the address.
export function setParameter(view, id, parameters, name, value) {
  const changed = new URLSearchParams(parameters);
  if (value) changed.set(name, value);
  else changed.delete(name);
  replaceAddress(addressOf(view, id, changed));
}
