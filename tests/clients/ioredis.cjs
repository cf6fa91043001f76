// ioredis at a door: node ioredis.cjs <host> <port> <socket path>

const assert = require("node:assert/strict");
const { once } = require("node:events");
const Redis = require("ioredis");
const { run, until } = require("./scenarios.cjs");

const [host, port, path] = process.argv.slice(2);
const quick = { retryStrategy: () => 5 };

function connect(options = {}) {
  const client = new Redis({ host, port: Number(port), ...quick, ...options });
  client.on("error", () => {}); // told by the calls as well
  return client;
}

const isBlocked = (client) => async () => (await client.client("LIST")).includes(" flags=b ");

const scenarios = {
  async types(connect) {
    const redis = await connect();
    assert.equal(await redis.set("a", 1), "OK");
    assert.equal(await redis.incrby("a", 4), 5);
    assert.equal(await redis.get("nothing"), null);
    assert.equal(await redis.set("a", "x", "EX", 100, "NX"), null);
    assert.equal(await redis.hset("h", { f: "v", n: 1 }), 2);
    assert.deepEqual(await redis.hgetall("h"), { f: "v", n: "1" });
    assert.deepEqual(await redis.hgetall("nothing"), {});
    assert.equal(await redis.rpush("l", "a", "b"), 2);
    assert.deepEqual(await redis.lrange("l", 0, -1), ["a", "b"]);
    assert.equal(await redis.sadd("s", ["a", "b"]), 2);
    assert.deepEqual((await redis.smembers("s")).sort(), ["a", "b"]);
    assert.equal(await redis.zadd("z", 1.5, "m", 2, "n"), 2);
    assert.deepEqual(await redis.zrange("z", 0, -1, "WITHSCORES"), ["m", "1.5", "n", "2"]);
    assert.equal(await redis.xadd("x", "1-1", "f", "v"), "1-1");
    assert.deepEqual(await redis.xread("STREAMS", "x", "0"), [["x", [["1-1", ["f", "v"]]]]]);
    await assert.rejects(redis.lpush("a", 1), /WRONGTYPE/);
  },

  async "bytes of every kind"(connect) {
    const redis = await connect();
    const value = Buffer.from(Array.from({ length: 256 * 1000 }, (_, number) => number % 256));
    await redis.set(value.subarray(0, 256), value);
    assert.ok(value.equals(await redis.getBuffer(value.subarray(0, 256))));
  },

  async "many calls at once"(connect) {
    const redis = await connect({ enableAutoPipelining: true });
    const numbers = await Promise.all(Array.from({ length: 2000 }, () => redis.incr("n")));
    assert.deepEqual(numbers, Array.from({ length: 2000 }, (_, number) => number + 1));
  },

  async pipeline(connect) {
    const redis = await connect();
    assert.deepEqual(await redis.pipeline().set("a", 1).incr("a").get("a").exec(), [
      [null, "OK"], [null, 2], [null, "2"],
    ]);
    const [[, ok], [error]] = await redis.pipeline().set("a", 1).lpush("a", 1).exec();
    assert.equal(ok, "OK");
    assert.match(error.message, /WRONGTYPE/);
  },

  async transactions(connect) {
    const [redis, other] = [await connect(), await connect()];
    assert.deepEqual(await redis.multi().set("a", 1).incr("a").exec(), [[null, "OK"], [null, 2]]);
    await redis.multi({ pipeline: false });
    assert.equal(await redis.set("a", 5), "QUEUED");
    assert.deepEqual(await redis.exec(), [[null, "OK"]]);
    await redis.watch("a");
    await other.set("a", 7);
    assert.equal(await redis.multi().set("a", 8).exec(), null);
    await assert.rejects(redis.multi().set("a").exec(), /EXECABORT|wrong number of arguments/);
    assert.equal(await redis.get("a"), "7");
  },

  async "blocking pops"(connect) {
    const [redis, other] = [await connect(), await connect()];
    const popped = redis.blpop("p", "q", 5);
    await until(isBlocked(other));
    await other.rpush("q", "job");
    assert.deepEqual(await popped, ["q", "job"]);
    assert.equal(await redis.blpop("q", 0.01), null);
    const moved = redis.blmove("q", "done", "LEFT", "RIGHT", 5);
    await until(isBlocked(other));
    await other.rpush("q", "next");
    assert.equal(await moved, "next");
  },

  async messages(connect) {
    const [redis, other] = [await connect(), await connect()];
    const heard = [];
    redis.on("message", (...message) => heard.push(message));
    redis.on("pmessage", (...message) => heard.push(message));
    assert.equal(await redis.subscribe("a", "b"), 2);
    assert.equal(await redis.psubscribe("n*"), 3);
    assert.equal(await other.publish("a", "1"), 1);
    assert.equal(await other.publish("news", "2"), 1);
    assert.equal(await other.publish("other", "3"), 0);
    await until(() => heard.length === 2);
    assert.deepEqual(heard, [["a", "1"], ["n*", "news", "2"]]);
    await assert.rejects(redis.get("a"), /subscriber mode/);
    assert.equal(await redis.unsubscribe("a", "b"), 1);
    assert.equal(await redis.punsubscribe("n*"), 0);
    assert.equal(await redis.get("a"), null);
  },

  async "messages of a shard"(connect) {
    const [redis, other] = [await connect(), await connect()];
    const heard = once(redis, "smessage");
    await redis.ssubscribe("shard");
    await other.spublish("shard", "1");
    assert.deepEqual(await heard, ["shard", "1"]);
  },

  async "walks as streams"(connect) {
    const redis = await connect();
    await redis.mset(new Map(Array.from({ length: 1000 }, (_, number) => [`k:${number}`, "v"])));
    await redis.hset("h", Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`f${n}`, n])));
    const keys = new Set();
    for await (const part of redis.scanStream({ match: "k:*", count: 50 })) {
      part.forEach((key) => keys.add(key));
    }
    assert.equal(keys.size, 1000);
    const fields = new Set();
    for await (const part of redis.hscanStream("h")) {
      part.filter((_, place) => place % 2 === 0).forEach((field) => fields.add(field));
    }
    assert.equal(fields.size, 600);
  },

  async users(connect) {
    const admin = await connect();
    await admin.acl("SETUSER", "ann", "on", ">secret", "~a*", "+@all", "-flushall");
    const ann = await connect({ username: "ann", password: "secret" });
    assert.equal(await ann.acl("WHOAMI"), "ann");
    await assert.rejects(ann.flushall(), /NOPERM/);
    await assert.rejects(ann.get("b"), /NOPERM/);
    const stranger = await connect({ username: "ann", password: "wrong" });
    const [error] = await once(stranger, "error");
    assert.match(error.message, /WRONGPASS/);
    await admin.acl("DELUSER", "ann");
  },

  async monitor(connect) {
    const [redis, other] = [await connect(), await connect({ db: 2 })];
    await other.ping();
    const monitor = await redis.monitor();
    const seen = [];
    monitor.on("monitor", (time, words, source, database) => seen.push([words, database]));
    await other.set("a", 'x "y"');
    await until(() => seen.some(([words]) => words[0] === "set"));
    monitor.disconnect();
    assert.deepEqual(seen.find(([words]) => words[0] === "set"), [["set", "a", 'x "y"'], "2"]);
  },

  async "a killed client comes back"(connect) {
    const [redis, other] = [await connect(), await connect()];
    await redis.subscribe("news");
    const id = await (await connect()).client("ID");
    assert.ok(id > 0);
    const again = once(redis, "ready");
    assert.ok((await other.client("KILL", "TYPE", "pubsub")) >= 1);
    await again;
    const heard = once(redis, "message");
    await until(async () => (await other.publish("news", "hello")) === 1); // it subscribes by itself
    assert.deepEqual(await heard, ["news", "hello"]);
    await other.client("KILL", "ID", await other.client("ID"), "SKIPME", "no");
    assert.equal(await other.ping(), "PONG");
  },

  async "a name, a number, a socket"(connect) {
    const redis = await connect({ path, db: 3, connectionName: "worker" });
    await redis.set("here", 1);
    assert.match(await redis.client("INFO"), / name=worker .* db=3 /);
    assert.equal(await (await connect()).exists("here"), 0);
  },

  async "keys that end"(connect) {
    const [redis, other] = [await connect(), await connect()];
    await other.config("SET", "notify-keyspace-events", "Ex");
    const heard = once(redis, "message");
    await redis.subscribe("__keyevent@0__:expired");
    await other.set("a", 1, "PX", 5);
    assert.deepEqual(await heard, ["__keyevent@0__:expired", "a"]);
  },
};

run(scenarios, connect, (client) => client.disconnect());
