/** Logging in with a code that comes by SMS. */
import { randomInt, randomUUID } from "node:crypto";
import { NotSent, type Sms } from "./sms.js";

const LIFETIME = 10 * 60 * 1000; // milliseconds

/** Sends codes, and takes each once, for ten minutes. */
export class Login {
  private readonly pending = new Map<string, { code: string; until: number }>();

  constructor(
    private readonly sms: Sms,
    private readonly now: () => Promise<Date>,
  ) {}

  /** Send a code, and return what the page says. */
  async request(number: string): Promise<string> {
    const code = String(randomInt(10 ** 6)).padStart(6, "0");
    try {
      await this.sms.send(number, `Your Shop code is ${code}.`, `login-${randomUUID()}`);
    } catch (error) {
      if (!(error instanceof NotSent)) throw error;
      const isWrong = error.code === "invalid_phone_number";
      return isWrong ? "That is no phone number." : "Please try again in a minute.";
    }
    this.pending.set(number, { code, until: (await this.now()).getTime() + LIFETIME });
    return "We have sent you a code.";
  }

  /** Return whether a code logs in. */
  async check(number: string, code: string): Promise<boolean> {
    const pending = this.pending.get(number);
    if (pending?.code !== code || (await this.now()).getTime() >= pending.until) return false;
    return this.pending.delete(number);
  }
}
