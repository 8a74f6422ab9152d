// Notifier: which notes become notifications, and their words.

import { expect } from "chai";
import type { Note } from "#shared/protocol/note.ts";
import { Notifier } from "../store/notifier.ts";
import type { Notice } from "../store/notifier.ts";
import { FakeApi } from "./fixture/fake-api.ts";
import { FakeServer } from "./fixture/fake-server.ts";

function note(seq: number, why: Note["why"]): Note {
  return { room: "plans", seq, why } as unknown as Note;
}

describe("notifier", () => {
  it("H4, notifier.4: a message without its markers, or one that has only files with their names", async () => {
    const server = new FakeServer();
    const attachments = ["plan.pdf", "photo.png"].map((name) => ({ name }));
    server.add("plans", "grace", { t: "msg", body: { text: "" }, attachments });
    const shown: Notice[] = [];
    const notifier = new Notifier({
      api: new FakeApi(server, "ada"),
      isHidden: () => true,
      titleOf: () => "Plans",
      show: (notice) => shown.push(notice),
    });
    await notifier.receive(note(1, "direct"));
    expect(shown.pop()?.body).to.equal("Files: plan.pdf and photo.png");
    server.append("plans", "grace", `**look** ${"*at* ".repeat(60)}`);
    await notifier.receive(note(2, "direct"));
    expect(shown.pop()?.body).to.equal(`look ${"at ".repeat(39)}`.slice(0, 120).trim());
  });

  it("U9: a mention by an edit is shown with the message, and leads to it", async () => {
    const server = new FakeServer();
    server.append("plans", "grace", "look");
    server.append("plans", "grace", "between");
    const edit = { t: "edited", target: 1, body: { text: "@ada look" }, mentions: ["ada"] };
    server.add("plans", "grace", edit);
    server.add("plans", "grace", { t: "reacted", target: 1, emoji: "👍", on: true });
    const shown: Notice[] = [];
    const notifier = new Notifier({
      api: new FakeApi(server, "ada"),
      isHidden: () => true,
      titleOf: () => "Plans",
      show: (notice) => shown.push(notice),
    });
    await notifier.receive(note(3, "mention"));
    expect(shown.pop()).to.deep.equal({
      title: "grace mentioned you in Plans",
      body: "@ada look",
      tag: "plans/1",
      room: "plans",
      seq: 1,
    });
    for (const seq of [4, 5]) await notifier.receive(note(seq, "mention"));
    expect(shown).to.deep.equal([]);
  });

  it("notifier.1: shows mentions, answers and direct messages while the page is hidden", async () => {
    const server = new FakeServer();
    for (const text of ["@ada look", "gone", "psst"]) server.append("plans", "grace", text);
    server.add("plans", "grace", { t: "deleted", target: 2 });
    const shown: Notice[] = [];
    let isHidden = true;
    const api = new FakeApi(server, "ada");
    const notifier = new Notifier({
      api,
      isHidden: () => isHidden,
      titleOf: () => "Plans",
      show: (notice) => shown.push(notice),
    });
    await notifier.receive(note(1, "mention"));
    expect(shown.pop()).to.deep.equal({
      title: "grace mentioned you in Plans",
      body: "@ada look",
      tag: "plans/1",
      room: "plans",
      seq: 1,
    });
    await notifier.receive(note(3, "direct"));
    expect(shown.pop()?.title).to.equal("grace");
    await notifier.receive(note(3, "reply"));
    expect(shown.pop()?.title).to.equal("grace answered you in Plans");
    await notifier.receive(note(1, "added"));
    await notifier.receive(note(2, "mention"));
    isHidden = false;
    await notifier.receive(note(1, "mention"));
    isHidden = true;
    api.isDown = true;
    await notifier.receive(note(1, "mention"));
    expect(shown).to.deep.equal([]);
    api.isDown = false;
    await Promise.all(Array.from({ length: 20 }, () => notifier.receive(note(1, "mention"))));
    expect(shown.length, "notifier.2").to.equal(4);
  });
});
