import { randomNonce } from "@countersign/shared";
import { connect, type Database } from "../db/client.js";
import { readHead } from "../db/log.js";
import { createSequencer } from "../log/sequence.js";
import { writeLeaf } from "./write-leaf.js";

// A broker's log and nothing else, in a process of its own: it writes leaves and sequences them until it is killed,
// by others or at a step of its own choosing, and says what was acknowledged.
const [databaseUrl = "", step = "none"] = process.argv.slice(2);
const { db } = connect(databaseUrl);
const die = (): void => void process.kill(process.pid, "SIGKILL");
const say = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Of each run of the sequencer: the first statement reads, the second moves the head. */
const sequencer = await createSequencer(killing(db), () => {
  if (step === "told") die();
});

function killing(inner: Database): Database {
  let statements = 0;
  const query: Database["query"] = async (...call) => {
    statements += 1;
    // The first one settles the head.
    const name = statements === 1 ? "start" : statements % 2 === 0 ? "read" : "move";
    const isTime = statements > 12;
    if (isTime && step === `before ${name}`) die();
    const asking = inner.query(...call);
    if (isTime && step === `during ${name}`) setImmediate(die);
    const answer = await asking;
    if (isTime && step === `after ${name}`) die();
    return answer;
  };
  return { query };
}

say({ ready: true });
for (;;) {
  const burst = Array.from({ length: 7 }, async () => {
    say({ entry: await writeLeaf(db, randomNonce()) });
  });
  await Promise.all([sequencer.run(), ...burst]);
  await sequencer.run();
  say({ head: await readHead(db) });
}
