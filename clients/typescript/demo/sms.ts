/** Sending an SMS so that it is sent once, however the network behaves. */

const RETRIED = new Set([408, 429, 500, 502, 503, 504]);
const WAITS = [1, 2, 4]; // seconds before each retry

/** The message could not be sent; `code` is MsGine's word for why, if it gave one. */
export class NotSent extends Error {
  constructor(
    why: string,
    readonly code = "",
  ) {
    super(why);
  }
}

export type Sleep = (seconds: number) => Promise<unknown>;
const realSleep: Sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** A patient client of MsGine's API. */
export class Sms {
  constructor(
    private readonly baseUrl: string,
    private readonly token: string,
    private readonly sleep: Sleep = realSleep,
  ) {}

  /** Send, and return the message's id; the key is the same for every try of one intention. */
  async send(to: string, message: string, key: string): Promise<string> {
    let why = "";
    for (const wait of [...WAITS, undefined]) {
      let askedFor = 0;
      try {
        const response = await this.post({ to, message }, key);
        if (!RETRIED.has(response.status)) return await idOf(response);
        why = `answered ${response.status}`;
        askedFor = Number(response.headers.get("Retry-After") ?? 0);
      } catch (error) {
        if (error instanceof NotSent) throw error;
        why = String(error); // no answer, or half of one
      }
      if (wait !== undefined) await this.sleep(Math.max(wait, askedFor));
    }
    throw new NotSent(why);
  }

  private post(body: object, key: string): Promise<Response> {
    return fetch(`${this.baseUrl}/messages/sms`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${this.token}`,
        "Content-Type": "application/json",
        "Idempotency-Key": key,
      },
      body: JSON.stringify(body),
    });
  }
}

async function idOf(response: Response): Promise<string> {
  const content = (await response.json()) as { id: string; error: { message: string; code: string } };
  if (!response.ok) throw new NotSent(content.error.message, content.error.code);
  return content.id;
}
