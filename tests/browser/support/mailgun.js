// The fake Mailgun of ../../src/mailgun as a process.
import { start } from "./process.js";

export class FakeMailgun {
  static async start() {
    const child = start("fake-mailgun");
    const hello = JSON.parse(await child.line("base_url"));
    return new FakeMailgun(child, hello);
  }

  constructor(child, { base_url, key, domain, signing_key }) {
    Object.assign(this, { child, baseUrl: base_url, key, domain, signingKey: signing_key });
  }

  /** Waits until this many mails were accepted in all, and returns the last of them. */
  async mail(count) {
    const answer = await fetch(`${this.baseUrl}/_fake/mails?count=${count}`);
    return (await answer.json())[count - 1];
  }

  async count() {
    return (await fetch(`${this.baseUrl}/_fake/count`)).json();
  }

  /** From now on every message is answered so; see `Answer` in ../../src/mailgun/answer.rs. */
  async answer(answer) {
    await fetch(`${this.baseUrl}/_fake/answer`, { method: "POST", body: JSON.stringify(answer) });
  }

  /** Tells the server's webhook of the mail with this number; gives the status of the answer. */
  async tell(server, mail, event, more = {}) {
    const body = JSON.stringify({ server: new URL(server.url).host, mail, event, more });
    return (await fetch(`${this.baseUrl}/_fake/tell`, { method: "POST", body })).json();
  }

  stop() {
    return this.child.stop();
  }
}
