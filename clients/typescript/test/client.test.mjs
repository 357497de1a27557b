// The client against a sandbox that it starts, the one on the path.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, mock, test } from "node:test";
import { SandboxError, connect, start } from "../dist/index.js";

const TO = "+256701234567";
const LIMIT = { timeout: 60_000 }; // which only a sandbox that does not end takes
let sandbox;

before(async () => {
  sandbox = await start({ quiet: true });
});
after(() => sandbox.stop());

async function send(account, to, message, headers = {}) {
  const response = await fetch(`${account.baseUrl}/messages/sms`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${account.token}`,
      "Content-Type": "application/json",
      ...headers,
    },
    body: JSON.stringify({ to, message }),
  });
  return { status: response.status, content: await response.json() };
}

test("a message that was sent can be waited for, with its code and links", async () => {
  const account = sandbox.account();
  await send(account, TO, "Your code is 493817, or open https://shop.example/login");
  const message = await account.wait({ to: TO, contains: "code" });
  assert.equal(message.code, "493817");
  assert.deepEqual(message.links, ["https://shop.example/login"]);
  assert.deepEqual((await account.messages()).map((each) => each.id), [message.id]);
});

test("a wait gets a message that is sent later", async () => {
  const account = sandbox.account();
  const waiting = account.wait({ to: TO, timeout: 60 });
  await send(account, TO, "Hello");
  assert.equal((await waiting).message, "Hello");
});

test("a wait that ends without a message says what came", async () => {
  const account = sandbox.account();
  await send(account, "+256701234568", "Hello");
  await assert.rejects(account.wait({ to: TO, timeout: 0 }), (error) => {
    assert(error instanceof SandboxError);
    assert.equal(error.status, 408);
    assert.equal(error.code, "wait_timed_out");
    const [nearest] = error.details.nearest;
    assert.deepEqual(nearest.differs.map((each) => each.field), ["to"]);
    return true;
  });
});

test("accounts do not see each other", async () => {
  await send(sandbox.account(), TO, "Hello");
  assert.deepEqual(await sandbox.account().messages(), []);
});

test("a clock that is frozen moves to a status, by a duration, and until nothing is due", async () => {
  const account = sandbox.account();
  await account.clock.freeze();
  await send(account, TO, "Hello");
  assert.equal((await account.wait({ status: "sent", jump: true })).status, "sent");
  assert.equal((await account.clock.advance({ until: "idle" })).next, null);
  assert.equal((await account.messages())[0].status, "delivered");
  const earlier = await account.clock.now();
  await account.clock.advance({ seconds: 3600 });
  assert.equal((await account.clock.now()) - earlier, 3_600_000);
  assert.equal((await account.clock.resume()).frozen, false);
});

test("a fault acts as often as it was asked to", async () => {
  const account = sandbox.account();
  await account.faults.add({ effect: { status: 503, retryAfter: 1 }, times: 1 });
  assert.equal((await account.faults.list()).length, 1);
  assert.equal((await send(account, TO, "Hello")).status, 503);
  assert.equal((await send(account, TO, "Hello")).status, 201);
  await account.faults.add({ effect: { status: 500 } });
  await account.faults.clear();
  assert.equal((await send(account, TO, "Hello")).status, 201);
});

test("a delivery fails for the reason that a fault names", async () => {
  const account = sandbox.account();
  await account.clock.freeze();
  const effect = { delivery: "failed", reason: "opted out" };
  await account.faults.add({ match: { to: "+2547*", channel: "sms" }, effect });
  await send(account, "+254712345678", "Hello");
  const message = await account.wait({ status: "failed", jump: true });
  assert.equal(message.recipients[0].reason, "opted out");
});

test("a receiver gets signed webhooks, and decides whether they are tried again", async () => {
  const account = sandbox.account();
  await account.clock.freeze();
  const receiver = await account.receiver();
  receiver.status = 500;
  await send(account, TO, "Hello");
  await account.clock.advance({ until: "next" });
  receiver.status = 200;
  await account.clock.advance({ until: "idle" });
  await receiver.close();
  const events = receiver.received.map((each) => each.content.event);
  assert.equal(events.filter((each) => each === "message.sent").length, 2);
  assert.equal(events.filter((each) => each === "message.delivered").length, 1);
  assert(receiver.received.every((each) => each.verified));
});

test("requests and the report say what a client did", async () => {
  const account = sandbox.account();
  await send(account, "0701234567", "Hello");
  await send(account, TO, "Hello", { "Idempotency-Key": "hello-1" });
  await send(account, TO, "Hello", { "Idempotency-Key": "hello-1" });
  const [, , request] = await account.requests({ path: "/messages/sms" });
  assert.equal(request.status, 400);
  const report = await account.report();
  assert.equal(report.keys.replayed, 1);
});

test("a reset makes the account new", async () => {
  const account = sandbox.account();
  await send(account, TO, "Hello");
  await account.reset();
  assert.deepEqual(await account.messages(), []);
});

test("connect takes an origin or a base URL, and says when nothing answers", async () => {
  for (const url of [sandbox.origin, sandbox.baseUrl, `${sandbox.baseUrl}/`]) {
    assert.equal((await connect(url)).origin, sandbox.origin);
  }
  await assert.rejects(connect("http://127.0.0.1:9"), /No sandbox answers at http:\/\/127.0.0.1:9/);
});

test("a control token is asked for and given", async () => {
  const guarded = await start({ quiet: true, control_token: "letmein1" });
  await guarded.account().clock.freeze();
  await assert.rejects((await connect(guarded.origin)).account().clock.freeze(), { status: 401 });
  await (await connect(guarded.origin, "letmein1")).account().clock.freeze();
  await guarded.stop();
  await assert.rejects(guarded.account().messages(), { status: 0 });
});

test("a sandbox that cannot start says why", async () => {
  await assert.rejects(start({ tier: "golden" }), /MSGINE_SANDBOX_TIER.*golden/);
  await assert.rejects(start({}, ["no-such-command"]), /no-such-command: .*ENOENT/);
});

test("tools that replace fetch and timers do not reach the client", async () => {
  const account = sandbox.account();
  await send(account, TO, "Hello");
  mock.method(globalThis, "fetch", () => assert.fail("the mock was called"));
  mock.timers.enable();
  try {
    assert.equal((await account.wait({ to: TO })).message, "Hello");
  } finally {
    mock.timers.reset();
    mock.restoreAll();
  }
});

test("a process that forgets to stop its sandbox ends, and takes it along", LIMIT, async () => {
  const program = `
    import { start } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
    const sandbox = await start({ quiet: true });
    console.log(sandbox.origin);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program]);
  let origin = "";
  child.stdout.on("data", (text) => (origin += text));
  assert.equal(await new Promise((resolve) => child.once("close", resolve)), 0);
  // It has no more connections to answer, so it ends at once; its port is closed by then or soon.
  for (;;) {
    const error = await connect(origin.trim()).then(() => null, (reason) => reason);
    if (error !== null) return;
  }
});
