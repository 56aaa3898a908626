// npm @bandwidth/numbers: sites, peers, import orders, subscriptions, numbers in service.
const assert = require("assert");
const { promisify } = require("util");
const numbers = require("@bandwidth/numbers");

numbers.Client.globalOptions.apiEndPoint = `${process.argv[2]}/api`;
numbers.Client.globalOptions.accountId = "9999999";
numbers.Client.globalOptions.userName = "wileCoyote";
numbers.Client.globalOptions.password = "catchThatBird";

const call = (owner, name, ...args) => promisify(owner[name].bind(owner))(...args);

async function ended(id) {
  for (;;) {
    const order = await call(numbers.ImportTnOrder, "get", id);
    if (!["RECEIVED", "PROCESSING"].includes(order.processingStatus)) return order;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

(async () => {
  const site = await call(numbers.Site, "get", "743");
  assert.equal(site.name, "Main office");
  assert.equal((await call(numbers.Site, "list")).length, 3);
  assert.equal((await call(numbers.SipPeer, "get", "743", "303716")).peerName, "Default peer");
  assert.equal((await call(site, "getSipPeers")).length, 2);
  await assert.rejects(call(numbers.Site, "get", "999"), (error) => error.status === 404);

  const wanted = {
    customerOrderId: "node numbers",
    siteId: 743,
    sipPeerId: 303716,
    subscriber: { name: "ACME", serviceAddress: { city: "Raleigh" } },
    loaAuthorizingPerson: "Wile E. Coyote",
  };
  const made = await call(numbers.ImportTnOrder, "create", wanted, ["9195550203", "9195550204"]);
  assert.equal(made.processingStatus, "RECEIVED");
  assert.equal((await ended(made.id)).processingStatus, "COMPLETE");
  assert.equal((await call(made, "getHistory")).length, 3);
  const listed = await call(numbers.ImportTnOrder, "list", { customerOrderId: "node numbers" });
  assert.equal(listed.importTnOrderSummary.orderId, made.id);
  await call(numbers.InServiceNumber, "get", "9195550203");
  assert.equal((await call(numbers.InServiceNumber, "list", {})).totalCount >= 2, true);
  await assert.rejects(call(numbers.InServiceNumber, "get", "9195559999"), (error) => error.status === 404);
  const checked = await call(numbers.ImportTnChecker, "check", ["9195550205", "9195550206"]);
  assert.equal(checked.importTnCheckerPayload.telephoneNumbers.telephoneNumber.length, 2);

  const callback = { URL: "http://127.0.0.1:9/orders", expiry: 3600 };
  const subscription = await call(numbers.Subscription, "create", {
    orderType: "externalTns",
    callbackSubscription: callback,
  });
  assert(subscription.id);
  await call(subscription, "update", { orderType: "externalTns", callbackSubscription: { ...callback, expiry: 60 } });
  assert.equal((await call(numbers.Subscription, "list")).length, 1);
  await call(subscription, "delete");

  const removed = await call(numbers.RemoveImportedTnOrder, "create", "bye", ["9195550203"]);
  assert(removed.id);
  console.log("ok");
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
