// mailgun.js was written by others, for the real Mailgun: what it can do with the fake shows that the
// fake is faithful.
import { test, expect } from "@playwright/test";
import FormData from "form-data";
import Mailgun from "mailgun.js";
import { FakeMailgun } from "../support/mailgun.js";

let fake;
test.beforeAll(async () => (fake = await FakeMailgun.start()));
test.afterAll(() => fake.stop());

function client(key = fake.key) {
  return new Mailgun(FormData).client({ username: "api", key, url: fake.baseUrl });
}

const message = {
  from: "Fun Run <app@example.com>",
  to: ["carol@example.com", '"Eve, the second" <eve@example.com>'],
  subject: "Grüße",
  text: "Hello\nCarol",
  html: "<p>Hello</p>",
  "o:tag": ["reset", "fun-run"],
  "o:tracking-clicks": "no",
  "h:Reply-To": "help@example.com",
};

test("mailgun.js sends a mail through the fake", async () => {
  const answer = await client().messages.create(fake.domain, message);
  expect(answer).toMatchObject({ status: 200, message: "Queued. Thank you." });
  const mail = await fake.mail(1);
  expect(mail.id).toBe(answer.id);
  expect(mail).toMatchObject({ from: message.from, subject: message.subject, text: message.text });
  expect(mail.to.join(",")).toContain("carol@example.com");
  expect(mail.fields.filter(([name]) => name === "o:tag").map(([, value]) => value)).toEqual(["reset", "fun-run"]);
});

test("mailgun.js sends an attachment through the fake", async () => {
  const attachment = { data: Buffer.from("a,b\n1,2\n"), filename: "table.csv" };
  const before = await fake.count();
  await client().messages.create(fake.domain, { ...message, attachment });
  const mail = await fake.mail(before + 1);
  expect(mail.attachments).toEqual([{ field: "attachment", name: "table.csv", size: 8 }]);
});

test("mailgun.js understands the refusals of the fake", async () => {
  const wrongKey = client("key-wrong").messages.create(fake.domain, message);
  await expect(wrongKey).rejects.toMatchObject({ status: 401 });
  const wrongDomain = client().messages.create("other.example.com", message);
  await expect(wrongDomain).rejects.toMatchObject({ status: 404, details: "Domain not found: other.example.com" });
  const wrongAddress = client().messages.create(fake.domain, { ...message, to: "nobody" });
  await expect(wrongAddress).rejects.toMatchObject({ status: 400 });
  const wrongTags = client().messages.create(fake.domain, { ...message, "o:tag": ["a", "b", "c", "d"] });
  await expect(wrongTags).rejects.toMatchObject({ status: 400 });
});
