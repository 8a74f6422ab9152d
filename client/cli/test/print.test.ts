// The command's lines are safe for a terminal and show each entry of the log.

import { expect } from "chai";
import { decodeEntry, encodeEntry } from "#shared/protocol/entry.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { entryLines, neutral, readable } from "../print.ts";
import { roomLine } from "../room-list.ts";

describe("parley: printing", () => {
  it("F6: replaces control characters and direction overrides of a user's text by visible symbols", () => {
    const hostile = "\u001b]0;title\u0007 \u009b31m a\u202eb\r\n";
    expect(neutral(hostile)).to.equal("\u241b]0;title\u2407 \ufffd31m a\ufffdb\u240d\u240a");
  });

  it("F3: prints an event of a kind that this version does not know", () => {
    const event = {
      t: "wave",
      room: "dev",
      seq: 7,
      id: "0199",
      from: "ada",
      at: 1_795_500_000_000,
    };
    expect(readable(event as never)).to.match(/dev#7 .* ada: \(wave\)$/);
  });

  it("names the message that a message continues or answers", () => {
    const message = { t: "msg", room: "dev", seq: 7, id: "0199", from: "ada", at: 0 };
    const reply = { ...message, thread: 4, replyTo: 5, body: { text: "hi" } };
    expect(readable(reply as never)).to.match(/ada: \(in the thread of #4, to #5\) hi$/);
  });

  it("AT1: names the files of a message, with and without a text", () => {
    const attachments = [{ name: "plan.pdf" }, { name: "a\u001bb.png" }];
    const message = { t: "msg", room: "dev", seq: 7, id: "0199", from: "ada", at: 0, attachments };
    const line = (text: string): string => readable({ ...message, body: { text } } as never);
    expect(line("look")).to.match(/ada: look \[plan\.pdf\] \[a\u241bb\.png\]$/);
    expect(line("")).to.match(/ada: \[plan\.pdf\]/);
    const room = { room: "dev", role: "member", head: 7, unread: 1, mentions: 0 };
    const last = { seq: 7, from: "ada", at: 0, text: "", files: ["plan.pdf"] };
    expect(roomLine({ ...room, last } as never)).to.equal("dev: 1 unread  ada: [plan.pdf]");
  });

  it("events.4: prints that a line of a commit is not an event, and the lines beside it", () => {
    const line = encodeEvent({
      t: "msg",
      room: "dev" as never,
      seq: 8,
      id: "0199" as never,
      from: "ada" as never,
      at: 1_795_500_000_000,
      body: { text: "hi" },
    });
    const groups = [{ room: "dev" as never, first: 7, lines: ["no JSON", line] }];
    const node = "room-a" as ProcessId;
    const text = encodeEntry({ kind: "commit", epoch: 3, node, at: 1_795_500_000_000, groups });
    const lines = [...entryLines(12, decodeEntry(text), false)];
    expect(lines[1]).to.equal("    unreadable: a line of 7 characters is not an event");
    expect(lines[2]).to.match(/dev#8 .* ada: hi$/);
  });

  it("P15: marks a void commit, and still prints its events", () => {
    const line = encodeEvent({
      t: "msg",
      room: "dev" as never,
      seq: 7,
      id: "0199" as never,
      from: "ada" as never,
      at: 1_795_500_000_000,
      body: { text: "hi" },
    });
    const groups = [{ room: "dev" as never, first: 7, lines: [line] }];
    const node = "room-a" as ProcessId;
    const text = encodeEntry({ kind: "commit", epoch: 3, node, at: 1_795_500_000_000, groups });
    const lines = [...entryLines(12, decodeEntry(text), true)];
    expect(lines[0]).to.match(/^12 commit epoch 3 room-a .* VOID/);
    expect(lines[1]).to.match(/dev#7 .* ada: hi$/);
  });
});
