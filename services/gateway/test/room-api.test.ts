// GatewayRoomApi: which writes have an order with the other writes of their user.

import { expect } from "chai";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { ClientWrite, WriteOutcome } from "../core/room-api-port.ts";
import type { GatewayRoomApi } from "../runtime/room-api.ts";
import { advance } from "./advance.ts";
import { idOf } from "./owner-model.ts";
import { openScriptedGateway } from "./scripted-gateway.ts";

const ROOM = "general" as RoomId;
const ADA = "ada" as UserId;

function write(n: number): ClientWrite {
  const frame = { t: "send", room: ROOM, id: idOf(n) as MessageId, body: { n } } as const;
  return { user: ADA, frame };
}

describe("GatewayRoomApi", () => {
  it("O4: a temporary refusal of a write over HTTP is that of this write alone", async () => {
    const clock = new FakeClock();
    const { gateway, owner } = openScriptedGateway(clock);
    const api = gateway.roomApi as GatewayRoomApi;
    owner.model.instead = (command) =>
      "id" in command && command.id === idOf(2) ? { c: command.c, error: "busy" } : undefined;
    const answers: unknown[] = [];
    const note = (answer: WriteOutcome): void => {
      answers.push(answer.kind === "sent" ? answer.seq : answer.error);
    };
    api.writeWithCallback(write(1), note);
    for (const n of [2, 3]) void api.write(write(n)).then(note);
    await advance(clock, 100, 5);
    expect(answers).to.have.members([1, "busy", 2]);
    const marks = owner.model.taken.map((command) => "unordered" in command && command.unordered);
    expect(marks).to.deep.equal([false, true, true]);
  });
});
