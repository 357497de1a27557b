// What the page stores in the browser: values of one tab, and which messages have been read.

const READ_MESSAGES = "msgine-read";
const MOST_READ = 20_000; // ids; the oldest are dropped

// Anything else that is served from this origin may have written to the same storage.
function parsed(storage, name) {
  try {
    return JSON.parse(storage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

// A value that the browser forgets when the tab is closed.
class TabValue {
  constructor(name) {
    this.name = name;
  }

  get() {
    return parsed(sessionStorage, this.name);
  }

  set(value) {
    sessionStorage.setItem(this.name, JSON.stringify(value));
  }
}

export const chosenAccount = new TabValue("msgine-account");
export const controlToken = new TabValue("msgine-control-token");
export const playgroundToken = new TabValue("msgine-token");

// The ids of the messages that have been opened, shared by all tabs of this browser.
export class ReadMessages {
  constructor(onChange) {
    this.ids = new Set();
    this.merge();
    addEventListener("storage", ({ key }) => {
      if (key !== READ_MESSAGES) return;
      this.merge();
      onChange();
    });
  }

  has(id) {
    return this.ids.has(id);
  }

  add(ids) {
    this.merge(); // another tab may have added some that are not here yet
    for (const id of ids) this.ids.add(id);
    localStorage.setItem(READ_MESSAGES, JSON.stringify([...this.ids].slice(-MOST_READ)));
  }

  merge() {
    const ids = parsed(localStorage, READ_MESSAGES);
    for (const id of Array.isArray(ids) ? ids : []) this.ids.add(id);
  }
}
