// node-redis at a door, in RESP2 and RESP3: node node_redis.cjs <host> <port> <socket path>

const assert = require("node:assert/strict");
const { createClient, createClientPool, WatchError } = require("redis");
const { run, until } = require("./scenarios.cjs");

const [host, port, path] = process.argv.slice(2);

async function connect(RESP, options = {}) {
  const socket = { host, port: Number(port), reconnectStrategy: () => 5 };
  const client = createClient({ RESP, socket, ...options });
  client.on("error", () => {}); // told by the calls as well
  await client.connect();
  return client;
}

const isBlocked = (client) => async () =>
  (await client.sendCommand(["CLIENT", "LIST"])).includes(" flags=b ");

const scenarios = {
  async types(connect) {
    const client = await connect();
    assert.equal(await client.set("a", 1), "OK");
    assert.equal(await client.incrBy("a", 4), 5);
    assert.equal(await client.hSet("h", { f: "v", n: 1 }), 2);
    assert.deepEqual({ ...(await client.hGetAll("h")) }, { f: "v", n: "1" });
    assert.equal(await client.rPush("l", ["a", "b"]), 2);
    assert.deepEqual(await client.lRange("l", 0, -1), ["a", "b"]);
    await client.sAdd("s", ["a", "b"]);
    assert.deepEqual([...(await client.sMembers("s"))].sort(), ["a", "b"]);
    await client.zAdd("z", [{ score: 1.5, value: "m" }, { score: Infinity, value: "n" }]);
    assert.deepEqual(await client.zRangeWithScores("z", 0, -1), [
      { value: "m", score: 1.5 }, { value: "n", score: Infinity },
    ]);
    assert.equal(await client.zScore("z", "no"), null);
    await client.xAdd("x", "1-1", { f: "v" });
    assert.equal((await client.xRange("x", "-", "+"))[0].id, "1-1");
    assert.equal((await client.configGet("databases")).databases, "16");
    assert.match(await client.info("server"), /redis_version:7/);
    await assert.rejects(client.lPush("a", "1"), /WRONGTYPE/);
  },

  async "many calls at once"(connect) {
    const client = await connect();
    const numbers = await Promise.all(Array.from({ length: 2000 }, () => client.incr("n")));
    assert.equal(numbers.at(-1), 2000);
  },

  async transactions(connect) {
    const [client, other] = [await connect(), await connect()];
    assert.deepEqual(await client.multi().set("a", 1).incr("a").exec(), ["OK", 2]);
    await client.watch("a");
    await other.set("a", 7);
    await assert.rejects(client.multi().set("a", 8).exec(), WatchError);
    assert.equal(await client.get("a"), "7");
  },

  async "blocking pops"(connect) {
    const [client, other] = [await connect(), await connect()];
    const popped = client.blPop(["p", "q"], 5);
    await until(isBlocked(other));
    await other.rPush("q", "job");
    assert.deepEqual({ ...(await popped) }, { key: "q", element: "job" });
    assert.equal(await client.blPop("q", 0.01), null);
  },

  async messages(connect) {
    const [client, other] = [await connect(), await connect()];
    const heard = [];
    const note = (message, channel) => heard.push([channel, message]);
    await client.subscribe("a", note);
    await client.pSubscribe("n*", note);
    await client.sSubscribe("shard", note);
    assert.equal(await other.publish("a", "1"), 1);
    assert.equal(await other.publish("news", "2"), 1);
    assert.equal(await other.sPublish("shard", "3"), 1);
    await until(() => heard.length === 3);
    assert.deepEqual(heard, [["a", "1"], ["news", "2"], ["shard", "3"]]);
    await client.unsubscribe("a");
    await client.pUnsubscribe("n*");
    await client.sUnsubscribe("shard");
    assert.equal(await client.exists("a"), 0);
  },

  async walks(connect) {
    const client = await connect();
    await client.mSet(Array.from({ length: 1000 }, (_, number) => [`k:${number}`, "v"]));
    const keys = new Set();
    for await (const part of client.scanIterator({ MATCH: "k:*", COUNT: 50 })) {
      part.forEach((key) => keys.add(key));
    }
    assert.equal(keys.size, 1000);
  },

  async "a killed client comes back"(connect) {
    const [client, other] = [await connect(), await connect()];
    await client.sendCommand(["CLIENT", "SETNAME", "victim"]);
    const id = await client.sendCommand(["CLIENT", "ID"]);
    const again = new Promise((resolve) => client.once("ready", resolve));
    await other.sendCommand(["CLIENT", "KILL", "ID", String(id)]);
    await again;
    assert.equal(await client.ping(), "PONG");
  },

  async users(connect) {
    const admin = await connect();
    await admin.aclSetUser("ann", ["on", ">secret", "~a*", "+@all", "-flushall"]);
    const ann = await connect({ username: "ann", password: "secret" });
    assert.equal(await ann.aclWhoAmI(), "ann");
    await assert.rejects(ann.flushAll(), /NOPERM/);
    await admin.aclDelUser("ann");
  },

  async "a name, a number, a socket"(connect) {
    const client = await connect({ socket: { path }, database: 3, name: "worker" });
    await client.set("here", 1);
    assert.match(await client.sendCommand(["CLIENT", "INFO"]), / name=worker .* db=3 /);
    assert.equal(await (await connect()).exists("here"), 0);
  },

  async "a pool"() {
    const pool = await createClientPool({ socket: { host, port: Number(port) } }).connect();
    const numbers = await Promise.all(Array.from({ length: 100 }, () => pool.incr("n")));
    assert.equal(new Set(numbers).size, 100);
    pool.destroy();
  },
};

// Only a client of RESP3 keeps what it has read, and is told when that is out of date.
const newer = {
  async "a cache of the client"(connect) {
    const clientSideCache = { ttl: 0, maxEntries: 100, evictPolicy: "LRU" };
    const [client, other] = [await connect({ clientSideCache }), await connect()];
    await other.set("a", 1);
    assert.equal(await client.get("a"), "1");
    assert.equal(await client.get("a"), "1");
    await other.set("a", 2);
    await until(async () => (await client.get("a")) === "2");
  },
};

function named(all, protocol) {
  return Object.fromEntries(Object.entries(all).map(([name, one]) => [`${name} ${protocol}`, one]));
}

async function main() {
  const close = (client) => client.destroy();
  await run(named(scenarios, 2), (options) => connect(2, options), close);
  await run(named({ ...scenarios, ...newer }, 3), (options) => connect(3, options), close);
}

// It would stay for some seconds after its last client has gone.
main().then(() => process.exit());
