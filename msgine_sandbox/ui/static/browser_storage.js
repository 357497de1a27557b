// What the page stores in the browser: values of one tab, and which messages have been read. A
// browser may refuse storage, or have no room left: then it is only known until the page is closed.

import { ROOT } from "./root.js";

// Sandboxes under several paths of one host share the storage.
const READ_MESSAGES = `${ROOT}msgine-read`;
const MOST_READ = 5000; // ids; the oldest are dropped

// `storage` is "sessionStorage" or "localStorage": where site data is blocked, even to name one is
// an error. Anything else that is served from this origin may have written to it.
function read(storage, name) {
  try {
    return JSON.parse(globalThis[storage].getItem(name) ?? "null");
  } catch {
    return null;
  }
}

// Return whether the value is stored.
function write(storage, name, value) {
  try {
    globalThis[storage].setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

// A value that the browser forgets when the tab is closed, unless it is in its local storage.
class StoredValue {
  constructor(name, storage = "sessionStorage") {
    this.name = ROOT + name;
    this.storage = storage;
    this.unstored = undefined;
  }

  get() {
    return this.unstored === undefined ? read(this.storage, this.name) : this.unstored;
  }

  set(value) {
    this.unstored = write(this.storage, this.name, value) ? undefined : value;
  }
}

export const chosenAccount = new StoredValue("msgine-account");
export const controlToken = new StoredValue("msgine-control-token");
export const playgroundForm = new StoredValue("msgine-playground");
export const chosenTheme = new StoredValue("msgine-theme", "localStorage");

// Which messages have been read, shared by all tabs of this browser: those up to an id, of one
// account or of all, and others one by one.
export class ReadMessages {
  constructor(onChange) {
    this.ids = new Set();
    this.upTo = new Map(); // ids of messages by the id of the account, "" for all
    this.merge();
    addEventListener("storage", ({ key }) => {
      if (key !== READ_MESSAGES) return;
      this.merge();
      onChange();
    });
  }

  has({ id, accountId }) {
    return this.ids.has(id) || id <= this.lastRead(accountId) || id <= this.lastRead("");
  }

  add(ids) {
    this.merge(); // another tab may have added some that are not here yet
    for (const id of ids) this.ids.add(id);
    this.store();
  }

  // Add all messages of an account, or of all, that are not newer than one.
  addUpTo(id, accountId) {
    this.merge();
    this.raise(accountId ?? "", id);
    this.store();
  }

  lastRead(accountId) {
    return this.upTo.get(accountId) ?? "";
  }

  raise(accountId, id) {
    if (id > this.lastRead(accountId)) this.upTo.set(accountId, id);
    if (accountId !== "") return;
    for (const each of this.ids) if (each <= id) this.ids.delete(each);
  }

  store() {
    for (const id of [...this.ids].slice(0, -MOST_READ)) this.ids.delete(id);
    write("localStorage", READ_MESSAGES, { ids: [...this.ids], upTo: [...this.upTo] });
  }

  merge() {
    const { ids, upTo } = read("localStorage", READ_MESSAGES) ?? {};
    for (const id of Array.isArray(ids) ? ids : []) this.ids.add(id);
    for (const [accountId, id] of Array.isArray(upTo) ? upTo : []) this.raise(accountId, id);
  }
}
