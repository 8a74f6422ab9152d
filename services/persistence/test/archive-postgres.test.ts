// The archive contract on a real PostgreSQL, with the rights of a serving process only (X6), and
// failures that only a database server can cause.

import { Client } from "pg";
import { archiveContract } from "#shared/testing/archive.contract.ts";
import { archiveMessagesContract } from "#shared/testing/archive-messages.contract.ts";
import { namesContract } from "#shared/testing/names.contract.ts";
import { roomListsContract } from "#shared/testing/room-lists.contract.ts";
import { archiveStatesContract } from "#shared/testing/archive-states.contract.ts";
import type { ArchiveUnderTest } from "#shared/testing/archive.contract.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { PostgresArchive } from "../adapters/archive-postgres.ts";
import { migrate } from "../adapters/migrate.ts";

/** Roles belong to a whole server, which is not always ours (DATABASE_URL). */
const SERVING = { name: `parley_serving_${process.pid}`, password: "serving" };

describe("ArchiveStore on PostgreSQL", () => {
  let server: PostgresServer;
  let admin: Client;
  let url: string;

  before(async function () {
    this.timeout(60_000);
    server = await launchPostgres();
    admin = new Client({ connectionString: server.url });
    await admin.connect();
    const whole = new URL(server.url);
    whole.username = SERVING.name;
    whole.password = SERVING.password;
    url = whole.href;
  });

  after(async () => {
    await admin.query(`drop owned by ${SERVING.name}`);
    await admin.query(`drop role ${SERVING.name}`);
    await admin.end();
    await server.stop();
  });

  beforeEach(async () => {
    await admin.query("drop schema public cascade");
    await admin.query("create schema public");
    await migrate({ url: server.url, serving: SERVING });
  });

  const open = (): Promise<ArchiveUnderTest> => {
    const store = new PostgresArchive({ url });
    const other = new PostgresArchive({ url, replicaUrl: url });
    return Promise.resolve<ArchiveUnderTest>({
      store,
      other,
      refuse: async (sender) => {
        const name = admin.escapeLiteral(sender);
        await admin.query(`alter table events add check (sender <> ${name})`);
      },
      quarantine: async () => {
        const { rows } = await admin.query<{
          room: string;
          seq: string | null;
          line: string;
          reason: string;
        }>("select * from quarantine order by n");
        return rows.map(({ seq, ...row }) => ({
          ...row,
          ...(seq !== null && { seq: Number(seq) }),
        }));
      },
      [Symbol.asyncDispose]: async () => {
        await Promise.all([store.close(), other.close()]);
      },
    });
  };
  archiveContract("PostgreSQL", open);
  archiveStatesContract("PostgreSQL", open);
  archiveMessagesContract("PostgreSQL", open);
  roomListsContract("PostgreSQL", open);
  namesContract("PostgreSQL", open);
});
