// The fence on a real NATS server: which appends the expected sequence refuses, and which one it
// cannot refuse.

import { expect } from "chai";
import { connect } from "@nats-io/transport-node";
import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { provision } from "#shared/adapters/nats-provision.ts";
import { decodeEntry, encodeEntry, epochAfter, isVoid } from "#shared/protocol/entry.ts";
import { createLogger } from "#shared/process/logger.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import { commitEntry, GENERAL, linesOf, NODE, RIVAL, T0 } from "./partition-fixture.ts";

const logger = createLogger({ name: "test", level: "silent" });

describe("The fence on a real server", () => {
  it("P15: the log accepts a stale owner's second append after a rival's claim, and readers skip it", async () => {
    await using server = await launchNats();
    const admin = await connect({ servers: server.url });
    await provision(admin, { partitions: 1, replicas: 1, logBytesMax: 1 << 20 });
    await admin.close();
    const options = { url: server.url, inboxPrefix: "_INBOX_test", logger };
    const staleBus = await openNatsBus({ ...options, name: "stale" });
    const rivalBus = await openNatsBus({ ...options, name: "rival" });
    const [stale, rival] = [openNatsLog(staleBus), openNatsLog(rivalBus)];
    const claimEntry = (node = NODE): string => encodeEntry({ kind: "claim", node, at: T0 });

    expect(await stale.append(0, claimEntry(), 0)).to.deep.equal({ kind: "ok", seq: 1 });
    // The rival claims before the two appends of the stale owner arrive.
    expect(await rival.append(0, claimEntry(RIVAL), 1)).to.deep.equal({ kind: "ok", seq: 2 });
    const late = [
      stale.append(0, commitEntry(1, [linesOf(GENERAL, 1, 1)]), 1),
      stale.append(0, commitEntry(1, [linesOf(GENERAL, 2, 1)]), 2),
    ];
    const [first, second] = await Promise.all(late);
    expect(first?.kind).to.equal("conflict");
    expect(second, "the rival's claim has the sequence that it expects").to.deep.equal({
      kind: "ok",
      seq: 3,
    });

    const kinds: string[] = [];
    let epoch = 0;
    for (const seq of [1, 2, 3]) {
      const got = await rival.get(0, seq);
      const entry = decodeEntry(got.kind === "ok" ? new TextDecoder().decode(got.data) : "");
      kinds.push(isVoid(epoch, entry) ? "void" : entry.kind);
      epoch = epochAfter(epoch, seq, entry);
    }
    expect(kinds).to.deep.equal(["claim", "claim", "void"]);
    await staleBus.close();
    await rivalBus.close();
  });
});
