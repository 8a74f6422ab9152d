// Lane, by example: the addressee of its batches when owners change or pause.

import { expect } from "chai";
import type { MessageId, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { Lane } from "../core/lane.ts";
import type { LaneEffect, LaneInput } from "../core/lane-io.ts";
import { idOf } from "./owner-model.ts";

const ROOM = "general" as RoomId;
const ADA = "ada" as UserId;

describe("Lane: the addressee of batches", () => {
  it("L4: the owner of the newest known epoch, and any owner while none is known or for a probe", () => {
    let [c, now, suspects] = [0, 0, 0];
    const to: number[] = [];
    const lane = new Lane<string>({
      gw: "gw-1" as ProcessId,
      nextNumber: () => ++c,
      localRooms: () => [],
    });
    const step = (input: LaneInput<string>): void => lane.step(input, now).forEach(perform);
    const perform = (effect: LaneEffect<string>): void => {
      if (effect.kind === "flush-soon") step({ kind: "flush" });
      else if (effect.kind === "publish") to.push(effect.to);
      else if (effect.kind === "suspect") suspects++;
    };
    const send = (): void => {
      const id = idOf(c) as MessageId;
      const command = { op: "send", room: ROOM, from: ADA, id, body: {} } as const;
      step({ kind: "submit", command, context: "" });
    };
    const sent = (epoch: number): void => {
      const answers = [{ result: { c, ok: "sent", seq: c, at: 0 } as const }];
      step({ kind: "results", epoch, answers });
    };
    send();
    sent(5);
    send();
    step({ kind: "epoch", epoch: 9 });
    expect(to.splice(0)).to.deep.equal([0, 5, 9]);
    step({ kind: "no-responders", epoch: 5 }); // The answer to batches that left before the beat.
    expect(suspects).to.equal(0);
    step({ kind: "no-responders", epoch: 9 });
    expect(suspects).to.equal(1);
    now = lane.wakeAt ?? 0;
    step({ kind: "wake" });
    expect(to.splice(0)).to.deep.equal([0]);
    sent(9);
    send();
    expect(to).to.deep.equal([9]);
  });
});
