// What the server defines: names with their headings, the lifecycle, magic recipients. The page has
// no copies of these lists, so what is added to the server appears here as well.
import { callControlApi } from "./api.js";

export class Definitions {
  constructor() {
    this.isLoaded = false;
    this.channels = []; // { name, title }
    this.tiers = [];
    this.scopes = [];
    this.events = []; // of webhooks
    this.statuses = {}; // for each status those that can follow; the first leads to delivery
    // Why a delivery failed; `byHand`: a control call asked for it. `usual` are those by channel.
    this.reasons = { usual: {} };
    this.warnings = []; // { code, advice }
    this.ways = []; // to behaviours: { name, method, path, fields, hint, key }
    this.magicRecipients = []; // { name, number, address, token, what }
  }

  // They are the same for all accounts, and are read once.
  async load() {
    if (this.isLoaded) return;
    const [definitions, magic] = await Promise.all([
      callControlApi("GET", "/definitions"),
      callControlApi("GET", "/magic"),
    ]);
    Object.assign(this, definitions, { magicRecipients: magic.data, isLoaded: true });
  }

  // The heading of a channel's messages.
  channelTitle(name) {
    return this.channels.find((channel) => channel.name === name)?.title ?? name;
  }

  // Return an empty list for a final status.
  nextStatuses(status) {
    return this.statuses[status] ?? [];
  }

  // Return the name of a magic recipient, undefined for any other.
  magicName(recipient) {
    const key = withoutLabel(recipient);
    return this.magicRecipients.find(({ number, address, token }) =>
      key === number || key === address || key === token)?.name;
  }
}

// Magic addresses and tokens may have a label, as in stuck+order-1042@sandbox.msgine.test, and a
// push may go to a user whose id is a magic token.
function withoutLabel(recipient) {
  if (recipient.startsWith("+")) return recipient; // a number
  return recipient.toLowerCase().replace(/^user:/, "").replace(/\+[^@]*/, "");
}
