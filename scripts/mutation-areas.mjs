// What `npm run mutate` changes, and the tests that must notice, the quickest first. A change that only a process of its own or a database would see
// is not made here: mutants live in the test's own process.
const shared = "packages/shared/src";
const agent = "packages/agent-client/src";
const broker = "apps/broker/src";

export const areas = {
  statement: {
    mutate: [`${shared}/statement.ts`, `${shared}/request-object.ts`],
    tests: [
      `${shared}/decision.test.ts`,
      `${shared}/request-object.test.ts`,
      `${shared}/vectors.test.ts`,
    ],
  },
  verifier: {
    mutate: [
      `${shared}/assertion.ts`,
      `${shared}/chain-verify.ts`,
      `${shared}/decision.ts`,
      `${shared}/device-key.ts`,
      `${shared}/jws.ts`,
      `${agent}/client/verify.ts`,
    ],
    tests: [
      `${shared}/assertion.test.ts`,
      `${shared}/chain-verify.test.ts`,
      `${shared}/device-key.test.ts`,
      `${shared}/decision.test.ts`,
      `${shared}/request-object.test.ts`,
      `${shared}/vectors.test.ts`,
      `${agent}/client/verify.test.ts`,
    ],
  },
  journal: {
    mutate: [`${agent}/journal/*.ts`],
    // Not journal.test.ts: what it asks of processes that are killed, a mutant in this one cannot answer.
    tests: [`${agent}/journal/{process,records}.test.ts`],
  },
  // The broker's half is SQL, which is not changed here: only the table that it takes its states from.
  lifecycle: {
    mutate: [`${broker}/domain/lifecycle.ts`, `${agent}/client/{claim,deadline,settle}.ts`],
    tests: [
      `${broker}/domain/lifecycle.test.ts`,
      `${agent}/client/{claim,deadline,freeze,settle,wait}.test.ts`,
    ],
  },
  renderer: {
    // Tables are made by scripts and compared with their sources; the other two are for tests.
    mutate: [`${shared}/view/**/*.ts`, `!${shared}/view/{*-table,fixture,any-action}.ts`],
    // Tables first: each is read once, and only the test that has it read is asked about how.
    tests: [
      `${shared}/view/look-alikes.test.ts`,
      `${shared}/view/public-suffix.test.ts`,
      `${shared}/vectors.test.ts`,
      `${shared}/view/**/*.test.ts`,
    ],
  },
};

export const name = process.env.MUTATION_AREA ?? "statement";
export const area = areas[name];
export const concurrency = Number(process.env.MUTATION_CONCURRENCY ?? 1);
