// PostgresPool: what a connection keeps of the answers that it had.

import { expect } from "chai";
import { collect } from "#shared/testing/heap.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import { until } from "#shared/testing/wait.ts";
import { PostgresPool } from "../adapters/postgres-pool.ts";

const CONNECTIONS = 3;

describe("PostgresPool", function () {
  this.timeout(60_000);

  it("C6, postgres-pool.4: no connection keeps the rows of an answer, also not of its first one", async () => {
    await using server = await launchPostgres({ embedded: true });
    const pool = new PostgresPool(server.url, { max: CONNECTIONS, timeoutMs: 5_000 });
    const answers: WeakRef<object>[] = [];
    const read = async (): Promise<void> => {
      const text = "select 'a text' as line from pg_sleep(0.1)";
      const result = await pool.run((db) => db.query<{ line: string }>(text));
      expect(result.rows[0]?.line).to.equal("a text");
      answers.push(new WeakRef(result));
    };
    try {
      // Each of the first ones opens a connection.
      for (let n = 0; n < 2; n++) await Promise.all(Array.from({ length: CONNECTIONS }, read));
      const isGone = (): Promise<boolean> => {
        collect();
        return Promise.resolve(answers.every((answer) => answer.deref() === undefined));
      };
      await until(isGone, { withinMs: 10_000, what: "the end of all answers" });
    } finally {
      await pool.retire();
    }
  });

  it("postgres-pool.4: a statement that fails rejects with its error, and the next one is performed", async () => {
    await using server = await launchPostgres({ embedded: true });
    const pool = new PostgresPool(server.url, { max: 1, timeoutMs: 5_000 });
    try {
      const wrong = pool.run((db) => db.query("select wrong"));
      expect(await wrong.catch((error: unknown) => String(error))).to.contain('"wrong"');
      const { rows } = await pool.run((db) => db.query("select $1::int as n", [7]));
      expect(rows).to.deep.equal([{ n: 7 }]);
      const ended = pool.run((db) => db.query("select pg_terminate_backend(pg_backend_pid())"));
      expect(await ended.catch(() => "ended")).to.equal("ended");
      expect((await pool.run((db) => db.query("select 1"))).rows).to.have.length(1);
    } finally {
      await pool.retire();
    }
  });
});
