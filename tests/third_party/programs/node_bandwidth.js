// npm node-bandwidth 3.0.3 through the life of an application, a number and a message.
const assert = require("assert");
const Bandwidth = require("node-bandwidth");

const number = "+19195550202";
const client = new Bandwidth({ userId: "u-1", apiToken: "t-1", apiSecret: "s-1", baseUrl: process.argv[2] });
const provider = {
  providerName: "bandwidth-dashboard",
  properties: { accountId: "9999999", userName: "wileCoyote", password: "catchThatBird" },
};

(async () => {
  const application = await client.Application.create({ name: "node", incomingMessageUrl: "http://127.0.0.1:9/in" });
  assert(application.id.startsWith("a-"));
  await client.Application.update(application.id, { name: "node 3" });
  assert.equal((await client.Application.get(application.id)).name, "node 3");
  await client.Application.create({ name: "second", incomingMessageUrl: "http://127.0.0.1:9/in" });
  const page = await client.Application.list({ size: 1 });
  assert(page.hasNextPage);
  assert.equal((await page.getNextPage()).applications.length, 1);

  const made = await client.PhoneNumber.create({ number, applicationId: application.id, provider });
  assert(made.id.startsWith("n-"));
  const found = await client.PhoneNumber.get(number);
  assert.equal(found.id, made.id);
  assert.equal(found.applicationId, application.id);
  assert.equal((await client.PhoneNumber.list({ applicationId: application.id })).phoneNumbers.length, 1);
  await client.PhoneNumber.update(made.id, { name: "renamed" });
  await assert.rejects(
    async () => client.PhoneNumber.create({ number, applicationId: application.id, provider }),
    (error) => error.statusCode === 409,
  );

  const message = await client.Message.send({ from: number, to: "+13035550123", text: "Good morning" });
  assert.equal((await client.Message.get(message.id)).text, "Good morning");
  const batch = await client.Message.sendMultiple([
    { from: number, to: "+13035550123", text: "a" },
    { from: "+1", to: "x", text: "b" },
  ]);
  assert.deepEqual(batch.map((one) => one.result), ["accepted", "failed"]); // its own word for "error"
  const first = await client.Message.list({ from: number, size: 1 });
  assert(first.hasNextPage);
  assert.equal((await first.getNextPage()).messages.length, 1);

  await client.PhoneNumber.delete(made.id);
  await client.Application.delete(application.id);
  await assert.rejects(async () => client.Application.get(application.id), (error) => error.statusCode === 404);
  console.log("ok");
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
