/**
 * Client of msgine-sandbox: start a sandbox or connect to one, and test against an account on it.
 * Everything goes through the control API. Nothing here polls or sleeps.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createInterface } from "node:readline";
import type { components, paths } from "./control.js";

type Schemas = components["schemas"];
type Query<Path extends "/messages" | "/messages/wait" | "/requests"> = Omit<
  NonNullable<paths[`/_sandbox${Path}`]["get"]["parameters"]["query"]>,
  "field" | "view">; // which change what is answered
type List<T> = { data: T[]; total: number };
export type Message = Schemas["MessageView"];
export type ClockState = Schemas["FullClockView"];
export type Fault = Schemas["FaultView"];
export type JournalEntry = Schemas["EntryView"];
export type Report = Schemas["ReportView"];
export type FaultSpec =
  | Schemas["RequestFaultBody"]
  | Schemas["WebhookFaultBody"]
  | Schemas["DeliveryFaultBody"];

// Test tools replace these: mocks the first, fake timers the others.
const { fetch, setTimeout, clearTimeout } = globalThis;
const VARIABLE = "MSGINE_SANDBOX_";

/** The sandbox refused a call; or it does not answer, and `status` is 0. */
export class SandboxError extends Error {
  override name = "SandboxError";

  constructor(
    message: string,
    readonly status = 0,
    readonly code = "",
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

/** A running sandbox. */
export class Sandbox implements AsyncDisposable {
  /** The origin, with the path under which a proxy serves the sandbox, if it does. */
  readonly origin: string;

  constructor(
    url: string,
    private readonly controlToken?: string,
    private readonly child?: ChildProcess,
  ) {
    const { origin, pathname } = new URL(url);
    this.origin = origin + pathname.replace(/\/+$/, "").replace(/\/api\/v1$/, "");
  }

  /** For the client under test. */
  get baseUrl(): string {
    return `${this.origin}/api/v1`;
  }

  /** Return the account of a token, or a fresh account with a random token. */
  account(token = `test_${randomBytes(12).toString("hex")}`): Account {
    return new Account(this, token);
  }

  /** Call a path below `/_sandbox`, for the whole sandbox without a token; return the JSON. */
  async call<T>(
    method: string,
    path: string,
    { token, json, params = {} }: { token?: string; json?: unknown; params?: object } = {},
  ): Promise<T> {
    const headers = new Headers();
    if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
    if (this.controlToken !== undefined) headers.set("X-Control-Token", this.controlToken);
    if (json !== undefined) headers.set("Content-Type", "application/json");
    const url = new URL(`${this.origin}/_sandbox${path}`);
    for (const [name, value] of Object.entries(params)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const body = json === undefined ? null : JSON.stringify(json);
    const response = await fetch(url, { method, headers, body }).catch((error: Error) => {
      throw new SandboxError(`No sandbox answers at ${this.origin}: ${error.cause ?? error}`);
    });
    const content = (await response.json()) as T & { error: SandboxError };
    if (response.ok) return content;
    const { message, code, details } = content.error;
    throw new SandboxError(message, response.status, code, details);
  }

  /** Stop the sandbox if this process started it. */
  async stop(): Promise<void> {
    const child = this.child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.ref();
    child.stdin?.end();
    const killing = setTimeout(() => child.kill("SIGKILL"), 2_000);
    await ended;
    clearTimeout(killing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** One account: its own messages, clock, faults, webhooks and journal. */
export class Account {
  readonly clock = {
    now: async (): Promise<Date> => new Date((await this.call<ClockState>("GET", "/clock")).now),
    /** Move forward, and return once all that falls due is done. */
    advance: (how: Schemas["AdvanceBody"]) => this.call<ClockState>("POST", "/clock/advance", how),
    freeze: () => this.call<ClockState>("POST", "/clock/freeze"),
    resume: () => this.call<ClockState>("POST", "/clock/resume"),
  };

  /** Failures on purpose. */
  readonly faults = {
    add: (fault: FaultSpec) => this.call<Fault>("POST", "/faults", fault),
    list: async (): Promise<Fault[]> => (await this.call<List<Fault>>("GET", "/faults")).data,
    clear: () => this.call<unknown>("DELETE", "/faults"),
  };

  constructor(
    readonly sandbox: Sandbox,
    readonly token: string,
  ) {}

  get baseUrl(): string {
    return this.sandbox.baseUrl;
  }

  /** Call a path below `/_sandbox` as this account, and return the JSON of the answer. */
  call<T>(method: string, path: string, json?: unknown, params: object = {}): Promise<T> {
    return this.sandbox.call<T>(method, path, { token: this.token, json, params });
  }

  /**
   * Return the newest message that fits, waiting up to `timeout` seconds if there is none yet.
   * With `jump`, the clock moves to where the message has the `status`.
   */
  wait(wanted: Query<"/messages/wait"> = {}): Promise<Message> {
    return this.call("GET", "/messages/wait", undefined, { timeout: 5, ...wanted });
  }

  /** Return the messages that fit, newest first. */
  async messages(filter: Query<"/messages"> = {}): Promise<Message[]> {
    return (await this.call<List<Message>>("GET", "/messages", undefined, filter)).data;
  }

  /** Return the requests with their answers, decisions and warnings, newest first. */
  async requests(filter: Query<"/requests"> = {}): Promise<JournalEntry[]> {
    return (await this.call<List<JournalEntry>>("GET", "/requests", undefined, filter)).data;
  }

  /** Return what the journal proves about the client: retries, keys, polling, warnings. */
  report(): Promise<Report> {
    return this.call("GET", "/report");
  }

  /** Start a server that receives the account's webhooks; it becomes the only endpoint. */
  async receiver(): Promise<Receiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const receiver = new Receiver(server);
    const { url, secret } = receiver;
    await this.call("PUT", "/webhooks", { endpoints: [{ url, secret }] });
    return receiver;
  }

  /** Make the account new: no messages, keys, faults or endpoints, and real time. */
  async reset(): Promise<void> {
    await this.call("POST", "/reset");
  }
}

/** A webhook that arrived; `verified` says whether its signature is right. */
export interface Received {
  headers: IncomingHttpHeaders;
  content: { event: string; messageId: string; to: string; status: string };
  verified: boolean;
}

/** A server that records webhooks, and answers them with `status`. */
export class Receiver implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly secret = `whsec_${randomBytes(24).toString("base64")}`;
  readonly url: string;
  status = 200;

  constructor(private readonly server: Server) {
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`;
    server.on("request", async (request, response) => {
      const body = Buffer.concat(await request.toArray());
      const verified = this.verify(request.headers, body);
      this.received.push({ headers: request.headers, content: JSON.parse(`${body}`), verified });
      response.writeHead(this.status).end();
    });
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private verify(headers: IncomingHttpHeaders, body: Buffer): boolean {
    const key = Buffer.from(this.secret.replace("whsec_", ""), "base64");
    const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`;
    const expected = createHmac("sha256", key).update(signed).update(body).digest();
    const given = String(headers["webhook-signature"]).split(" ");
    const signatures = given.map((each) => Buffer.from(each.replace("v1,", ""), "base64"));
    return signatures.some((it) => it.length === expected.length && timingSafeEqual(it, expected));
  }
}

/** Return the running sandbox at an origin or base URL. */
export async function connect(url: string, controlToken?: string): Promise<Sandbox> {
  const sandbox = new Sandbox(url, controlToken);
  await sandbox.call("GET", "/health");
  return sandbox;
}

/**
 * Start a sandbox as a child process, on a free port; it ends with this process at the latest.
 * Settings are named as in `docs/settings.md`, such as `{ tier: "free", sent_after: 0.1 }`.
 */
export async function start(
  settings: Record<string, string | number | boolean> = {},
  [program, ...before]: readonly [string, ...string[]] = ["msgine-sandbox"],
): Promise<Sandbox> {
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (name.startsWith(VARIABLE)) delete env[name];
  for (const name in settings) env[VARIABLE + name.toUpperCase()] = `${settings[name]}`;
  const flags = ["serve", "--port", "0", "--stop-with-stdin"];
  // In a session of its own, so that Ctrl-C ends the tests and not the sandbox.
  const detached = process.platform !== "win32";
  const child = spawn(program, [...before, ...flags], { env, detached });
  let errors = "";
  child.stderr.on("data", (text) => (errors = (errors + text).slice(-16_000)));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once("line", resolve);
    child.once("error", (error) => reject(new SandboxError(`${program}: ${error.message}`)));
    child.once("close", () => reject(new SandboxError(`The sandbox has ended: ${errors}`)));
  });
  // None of these may keep the process alive; its end closes standard input, which ends the child.
  for (const each of [child, child.stdin, child.stdout, child.stderr]) (each as Socket).unref();
  return new Sandbox(url, settings["control_token"]?.toString(), child);
}
