// Which messages have been opened: remembered for this browser, and the same in all its tabs.
import { kept } from "./kept.js";

const NAME = "msgine-read";
const MOST = 20_000;

export class Read {
  constructor(changed) {
    this.ids = new Set();
    this.merge();
    addEventListener("storage", ({ key }) => {
      if (key !== NAME) return;
      this.merge();
      changed();
    });
  }

  has(id) {
    return this.ids.has(id);
  }

  add(ids) {
    this.merge();
    for (const id of ids) this.ids.add(id);
    localStorage.setItem(NAME, JSON.stringify([...this.ids].slice(-MOST)));
  }

  merge() {
    const ids = kept(localStorage, NAME);
    for (const id of Array.isArray(ids) ? ids : []) this.ids.add(id);
  }
}
