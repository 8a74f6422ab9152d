// Attachments on the wire: the frame, the command, the event, and the requests on the bus.

import { expect } from "chai";
import { decodeAttachmentRequest, encodeAttachmentRequest } from "../attachment-requests.ts";
import { decodeRecordOutcome, encodeRecordOutcome } from "../attachment-requests.ts";
import { isAttachmentsOrNot } from "../attachments.ts";
import type { UploadedFile } from "../attachments.ts";
import { decodeClientFrame } from "../client-frames.ts";
import { decodeCommandBatch, encodeCommand, encodeCommandBatch } from "../command-batch.ts";
import { COMMANDS, writeOf } from "../commands.ts";
import type { SendCommand, WriteFrame } from "../commands.ts";
import { encodeEvent } from "../events.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "../ids.ts";
import { ATTACHMENTS_MAX } from "../limits.ts";
import { tombstoneOf } from "../tombstone.ts";

const id = "01890000-0000-7000-8000-000000000001" as MessageId;
const room = "plans" as RoomId;
const user = "ada" as UserId;
const size = { width: 30, height: 20 };
const file: UploadedFile = {
  id,
  name: "a.png",
  type: "image/png",
  bytes: 9,
  ...size,
  until: 5_000,
  proof: "A".repeat(43),
};
const { until: _until, proof: _proof, ...attachment } = file;
const frameOf = (attachments: readonly unknown[]) =>
  decodeClientFrame(JSON.stringify({ t: "send", room, id, body: {}, attachments }));

describe("Attachments on the wire", () => {
  it("AT1: a send with files becomes an event that names them, without their proofs", () => {
    const decoded = frameOf([file, { ...file, until: 4_000 }]);
    if (decoded.kind !== "frame") throw new Error(decoded.error);
    const how = { trace: undefined, hashOf: () => "" };
    const write = { ...writeOf(decoded.frame as WriteFrame, { user }, how), c: 1 } as SendCommand;
    expect(write.until).to.equal(4_000);
    const gw = "gw-1" as ProcessId;
    const text = encodeCommandBatch({ gw, lane: 1, n: 1 }, [encodeCommand(write)]);
    expect(text).not.to.include("proof");
    const [command] = decodeCommandBatch(text)?.commands ?? [];
    const place = { seq: 7, at: 1 };
    const [event] = COMMANDS.send.events(command as SendCommand, place, { kind: "open" });
    if (event === undefined) throw new Error("no event");
    expect(JSON.parse(encodeEvent(event))).to.deep.equal({
      t: "msg",
      room,
      seq: 7,
      id,
      from: user,
      at: 1,
      body: {},
      attachments: [attachment, attachment],
    });
    const tombstone = tombstoneOf(encodeEvent(event), { by: user, at: 2, seq: 8 });
    expect(tombstone).not.to.include("a.png");
  });

  it("AT1: a wrong file, no file, and too many files get bad_frame", () => {
    const many = Array.from({ length: ATTACHMENTS_MAX + 1 }, () => file);
    const wrong = [
      [],
      many,
      [{ ...file, proof: "short" }],
      [{ ...file, id: "x" }],
      [{ ...file, name: "" }],
      [{ ...file, type: "text" }],
      [{ ...file, bytes: -1 }],
      [{ ...file, width: 0 }],
      ["x"],
    ];
    for (const list of wrong) {
      expect(frameOf(list), JSON.stringify(list)).to.include({ error: "bad_frame" });
    }
  });

  it("command-batch.1: a command with a broken file is refused", () => {
    expect(isAttachmentsOrNot(undefined)).to.equal(true);
    expect(isAttachmentsOrNot([attachment])).to.equal(true);
    const many = Array.from({ length: ATTACHMENTS_MAX + 1 }, () => attachment);
    const wrong = [null, {}, [], many, [null], [{ ...attachment, width: undefined }]];
    for (const one of [...wrong, [{ ...attachment, name: "x".repeat(129) }]]) {
      expect(isAttachmentsOrNot(one), JSON.stringify(one)).to.equal(false);
    }
  });

  it("attachment-requests.2: requests and answers survive the bus, and broken ones are refused", () => {
    const name = "a.png";
    const requests = [
      { op: "begin", id, room, user, name, bytes: 9, quota: 100 },
      { op: "finish", id, room, user, type: "image/png", ...size },
      { op: "finish", id, room, user, type: "text/plain" },
      { op: "find", id, room },
    ] as const;
    for (const request of requests) {
      expect(decodeAttachmentRequest(encodeAttachmentRequest(request))).to.deep.equal(request);
      for (const key of Object.keys(request)) {
        if (key === "width" || key === "height") continue;
        const less = { ...request, [key]: undefined };
        expect(decodeAttachmentRequest(encodeAttachmentRequest(less)), key).to.equal(undefined);
      }
    }
    const outcomes = [
      { kind: "begun" },
      { kind: "file", file: attachment },
      { kind: "refused", error: "full" },
    ] as const;
    for (const outcome of outcomes) {
      expect(decodeRecordOutcome(encodeRecordOutcome(outcome))).to.deep.equal(outcome);
    }
    for (const text of ["", "{}", '{"v":1}', '{"v":1,"kind":"file","file":{}}', '{"v":2}']) {
      expect(decodeRecordOutcome(text), text).to.equal(undefined);
      expect(decodeAttachmentRequest(text), text).to.equal(undefined);
    }
  });
});
