/** Logging in works on a good day and on a bad one, and sends one text each time. */
import { type Account, type Sandbox, start } from "msgine-sandbox";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Login } from "./login.js";
import { Sms } from "./sms.js";

const AMINA = "+256701234567";
let sandbox: Sandbox;
let account: Account;
let sms: Sms;
let login: Login;

beforeAll(async () => {
  sandbox = await start({ quiet: true });
});
afterAll(() => sandbox.stop());

beforeEach(async () => {
  account = sandbox.account();
  await account.clock.freeze();
  // Where the shop would wait, time passes in the sandbox.
  sms = new Sms(account.baseUrl, account.token, (seconds) => account.clock.advance({ seconds }));
  login = new Login(sms, account.clock.now);
});
afterEach(async () => {
  expect((await account.report()).warnings).toEqual([]);
});

test("the code of the text logs in once", async () => {
  expect(await login.request(AMINA)).toBe("We have sent you a code.");
  const { code } = await account.wait({ to: AMINA });
  expect(await login.check(AMINA, code!)).toBe(true);
  expect(await login.check(AMINA, code!)).toBe(false);
});

test.each([
  [9, true],
  [10, false],
])("a code of %i minutes ago logs in: %s", async (minutes, logsIn) => {
  await login.request(AMINA);
  await account.clock.advance({ seconds: minutes * 60 });
  const { code } = await account.wait({ to: AMINA });
  expect(await login.check(AMINA, code!)).toBe(logsIn);
});

test("a number that is none is told at once", async () => {
  expect(await login.request("0701234567")).toBe("That is no phone number.");
  expect(await account.requests()).toHaveLength(1);
});

describe("on a bad day", () => {
  test("two answers of 503 do not keep anybody out", async () => {
    await account.faults.add({ effect: { status: 503 }, times: 2 });
    await login.request(AMINA);
    expect(await account.messages()).toHaveLength(1);
    const { code } = await account.wait({ to: AMINA });
    expect(await login.check(AMINA, code!)).toBe(true);
  });

  test("an answer that is lost makes no second text", async () => {
    await account.faults.add({ effect: { drop: "after" }, times: 1 });
    await login.request(AMINA);
    expect(await account.messages()).toHaveLength(1);
  });

  test("trouble that stays is told on the page", async () => {
    await account.faults.add({ effect: { status: 502 } });
    expect(await login.request(AMINA)).toBe("Please try again in a minute.");
    expect(await account.messages()).toEqual([]);
  });

  test("a handset that is switched off fails, and the receiver is told so", async () => {
    await using receiver = await account.receiver();
    await account.faults.add({ match: { to: AMINA }, effect: { delivery: "failed" } });
    await login.request(AMINA);
    await account.wait({ to: AMINA, status: "failed", jump: true });
    await account.clock.advance({ until: "idle" });
    const events = receiver.received.map((each) => each.content.event);
    expect(events).toEqual(["message.sent", "message.failed"]);
  });
});
