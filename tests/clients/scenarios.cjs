// What the scripts for Node share: runs scenarios one after the other and says what became of each.
//
//     ok <name>    or    FAILED <name>: <why>
//
// Each is given a function that makes clients, which are closed after it, and is bounded in time.

const PATIENCE = 10_000;

async function run(scenarios, makeClient, close) {
  for (const [name, scenario] of Object.entries(scenarios)) {
    const clients = [];
    const connect = async (...options) => {
      const client = await makeClient(...options);
      clients.push(client);
      return client;
    };
    const play = async () => {
      const cleaner = await connect();
      await (cleaner.flushall ?? cleaner.flushAll).call(cleaner);
      await scenario(connect);
    };
    let timer;
    const tooLong = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("it takes too long")), PATIENCE);
    });
    try {
      await Promise.race([play(), tooLong]);
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`FAILED ${name}: ${error.stack}`);
      process.exitCode = 1;
    } finally {
      clearTimeout(timer);
      await Promise.all(clients.map(close));
    }
  }
}

// Wait until the condition holds; a scenario as a whole is bounded.
async function until(condition) {
  while (!(await condition())) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

module.exports = { run, until };
