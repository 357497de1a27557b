// A shared worker: one connection to the sandbox for all tabs of a browser, because a browser
// makes only six to one host, and a tab that waits for one of them shows nothing.
import { EventStream } from "./event_stream.js";

const streams = new Map(); // by control token; normally one

// The events of all accounts for the tabs with one control token.
class SharedStream {
  constructor(controlToken) {
    this.controlToken = controlToken;
    this.ports = new Set();
    this.state = null;
    this.stream = new EventStream(controlToken, {
      onEvents: (events) => this.tell({ events }),
      onState: (state) => this.change(state),
    });
    this.stream.start();
  }

  add(port) {
    this.ports.add(port);
    if (this.state) port.postMessage({ state: this.state });
  }

  remove(port) {
    this.ports.delete(port);
    if (this.ports.size === 0) this.end();
  }

  change(state) {
    this.state = state;
    this.tell({ state });
    if (state === "unauthorized") this.end(); // the next tab that asks tries again
  }

  end() {
    this.stream.stop();
    if (streams.get(this.controlToken) === this) streams.delete(this.controlToken);
  }

  tell(message) {
    for (const port of this.ports) port.postMessage(message);
  }
}

// A tab sends its control token to begin, and null to end.
function serve(port) {
  let shared = null;
  port.onmessage = ({ data }) => {
    shared?.remove(port);
    shared = null;
    if (data === null) return;
    const { controlToken } = data;
    if (!streams.has(controlToken)) streams.set(controlToken, new SharedStream(controlToken));
    shared = streams.get(controlToken);
    shared.add(port);
  };
}

globalThis.addEventListener("connect", ({ ports: [port] }) => serve(port));
