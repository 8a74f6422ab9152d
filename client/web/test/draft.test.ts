// Draft and MessageChanges: what the composers and the toolbars ask of a room, and what they show.

import { expect } from "chai";
import { Draft } from "../store/draft.ts";
import { MessageChanges } from "../store/message-changes.ts";
import type { SentMessage } from "../store/timeline-rows.ts";
import { FakeServer } from "./fixture/fake-server.ts";
import type { FakeClient, FakeHandle } from "./fixture/fake-server.ts";

const MESSAGE: SentMessage = {
  kind: "sent",
  id: "id-7",
  seq: 7,
  from: "ada",
  at: 5,
  text: "helo",
};

interface DraftFixture {
  readonly draft: Draft;
  readonly typed: string[];
  readonly sent: string[];
  readonly edits: (readonly [seq: number, text: string])[];
}

function createDraft(saved = ""): DraftFixture {
  const typed: string[] = [];
  const sent: string[] = [];
  const edits: (readonly [number, string])[] = [];
  const draft = new Draft({
    saved,
    typed: (text) => typed.push(text),
    changed: () => undefined,
    loadFiles: undefined,
    send: (text) => sent.push(text),
    edit: ({ seq }, text) => edits.push([seq, text]),
  });
  return { draft, typed, sent, edits };
}

describe("draft", () => {
  it("draft.1: the new message that was begun comes back after an edit", () => {
    const { draft, typed, edits } = createDraft("half a");
    draft.set("half a thought");
    draft.edit(MESSAGE);
    expect(draft.text).to.equal("helo");
    expect(draft.unsent).to.equal("half a thought");
    draft.set("hello");
    expect(typed, "an edit is no new message").to.deep.equal(["half a thought"]);
    expect(draft.submit()).to.equal(true);
    expect(edits).to.deep.equal([[7, "hello"]]);
    expect(draft.text).to.equal("half a thought");
    draft.edit(MESSAGE);
    draft.cancel();
    expect(draft.text).to.equal("half a thought");
    expect(edits.length).to.equal(1);
  });

  it("an edit that changes nothing sends nothing", () => {
    const { draft, edits } = createDraft();
    draft.edit(MESSAGE);
    expect(draft.submit()).to.equal(true);
    expect(draft.editing).to.equal(undefined);
    expect(edits).to.deep.equal([]);
  });

  it("draft.2: a text that shows nothing is not submitted, and stays", () => {
    const { draft, sent } = createDraft();
    draft.set(" \u200b\n");
    expect(draft.canSubmit).to.equal(false);
    expect(draft.submit()).to.equal(false);
    expect(draft.text).to.equal(" \u200b\n");
    draft.set("a ");
    expect(draft.submit()).to.equal(true);
    expect(sent).to.deep.equal(["a"]);
  });
});

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

function createChanges(): { client: FakeClient; handle: FakeHandle; changes: MessageChanges } {
  const server = new FakeServer();
  const client = server.client("ada");
  const handle = client.join("general");
  const rules = { bar: undefined, editMs: () => Infinity };
  server.append("general", "ada", "one");
  server.append("general", "ada", "two");
  return { client, handle, changes: new MessageChanges(handle, rules, () => undefined) };
}

describe("message changes", () => {
  it("a message waits until all its changes are answered", async () => {
    const { client, changes } = createChanges();
    client.isHolding = true;
    changes.edit(1, "better");
    changes.react(1, "👍", true);
    expect(changes.isWaiting(1)).to.equal(true);
    expect(changes.isWaiting(2)).to.equal(false);
    client.release();
    await settled();
    expect(changes.isWaiting(1)).to.equal(false);
    expect(changes.problemOf(1)).to.equal(undefined);
  });

  it("message-changes.1: a refusal is one sentence at its message, until the next change", async () => {
    const { client, changes } = createChanges();
    client.refusal = { error: "forbidden" };
    changes.pin(1, true);
    await settled();
    expect(changes.problemOf(1)).to.equal("Not pinned. You are not allowed to do this here.");
    expect(changes.problemOf(2)).to.equal(undefined);
    client.refusal = { error: "conflict" };
    changes.delete(2);
    expect(changes.problemOf(1)).to.equal(undefined);
    await settled();
    expect(changes.problemOf(2)).to.equal("Not deleted. The message was deleted in the meantime.");
    changes.dismiss();
    expect(changes.problemOf(2)).to.equal(undefined);
  });
});
