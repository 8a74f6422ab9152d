// ConnectionChecker tests: which kind of request an error answers.

import { expect } from "chai";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { ConnectionChecker } from "../connection-checker.ts";
import { Findings } from "../findings.ts";

const room = "room-1" as RoomId;

function checkerOf(): { readonly checker: ConnectionChecker; readonly findings: Findings } {
  const findings = new Findings();
  const checker = new ConnectionChecker({
    now: () => 0,
    findings,
    records: [],
    client: "ada" as UserId,
    conn: 1,
    gateway: "gw-1",
  });
  return { checker, findings };
}

const sent = (checker: ConnectionChecker, frame: object): void =>
  checker.onSent(JSON.stringify({ room, ...frame }));
const received = (checker: ConnectionChecker, frame: object): void =>
  checker.onReceived(JSON.stringify({ room, ...frame }));

describe("ConnectionChecker", () => {
  it("distinguishes the leave of a refused join from the leave of a joined room", () => {
    const refused = checkerOf();
    sent(refused.checker, { t: "join", ref: 1 });
    sent(refused.checker, { t: "leave", ref: 2 });
    received(refused.checker, { t: "error", name: "forbidden", ref: 1 });
    received(refused.checker, { t: "error", name: "not_joined", ref: 2 });
    expect(refused.findings.shown).to.deep.equal(["request forbidden", "leave not_joined"]);

    const joined = checkerOf();
    sent(joined.checker, { t: "join", ref: 1 });
    received(joined.checker, { t: "joined", ref: 1, head: 0, from: 1, born: "b" });
    sent(joined.checker, { t: "leave", ref: 2 });
    received(joined.checker, { t: "error", name: "not_joined", ref: 2 });
    expect(joined.findings.shown).to.deep.equal(["request not_joined"]);
  });

  it("names sends and pages as such", () => {
    const { checker, findings } = checkerOf();
    sent(checker, { t: "send", id: "m-1" as MessageId, body: { text: "a" } });
    sent(checker, { t: "history", ref: 3, after: 0 });
    received(checker, { t: "error", name: "unavailable", id: "m-1" });
    received(checker, { t: "error", name: "busy", ref: 3 });
    expect(findings.shown).to.deep.equal(["send unavailable", "page busy"]);
    expect(checker.pending).to.deep.equal([]);
    expect(findings.list).to.deep.equal([]);
  });
});
