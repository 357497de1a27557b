// What happens, live: server-sent events, read by fetch because EventSource sends no headers.
import { controlHeaders } from "./calls.js";

const AGAIN = 500; // milliseconds between tries while the sandbox does not answer
const LONGEST = 12; // milliseconds of work before the page may draw

const rest = (milliseconds = 0) => new Promise((done) => setTimeout(done, milliseconds));

export class Feed {
  constructor(account, { events, link }) {
    this.account = account;
    this.events = events;
    this.link = link;
    this.latest = null;
    this.aborter = new AbortController();
    this.follow();
  }

  stop() {
    this.aborter.abort();
  }

  async follow() {
    const { signal } = this.aborter;
    while (!signal.aborted) {
      try {
        const headers = controlHeaders(this.account);
        if (this.latest) headers["Last-Event-ID"] = this.latest;
        const answer = await fetch("/_sandbox/events", { headers, signal, cache: "no-store" });
        if (answer.ok) {
          this.link("live");
          await this.read(answer.body.getReader());
        } else if (answer.status === 401 || answer.status === 404) {
          this.link(answer.status === 401 ? "guarded" : "unknown");
          return;
        }
      } catch {
        // The connection broke, or there is none.
      }
      if (signal.aborted) return;
      this.link("lost");
      await rest(AGAIN);
    }
  }

  async read(reader) {
    const decoder = new TextDecoder();
    let buffer = "", began = performance.now();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      buffer += decoder.decode(value, { stream: true });
      const end = buffer.lastIndexOf("\n\n");
      if (end < 0) continue;
      const happened = buffer.slice(0, end).split("\n\n").map(parsed).filter(Boolean);
      buffer = buffer.slice(end + 2);
      for (const event of happened) this.latest = event.id ?? this.latest;
      if (happened.length) this.events(happened);
      if (performance.now() - began > LONGEST) {
        await rest();
        began = performance.now();
      }
    }
  }
}

function parsed(block) {
  const event = {};
  for (const line of block.split("\n")) {
    if (line.startsWith("id: ")) event.id = line.slice(4);
    else if (line.startsWith("event: ")) event.kind = line.slice(7);
    else if (line.startsWith("data: ")) event.data = JSON.parse(line.slice(6));
  }
  return event.kind ? event : null;
}
