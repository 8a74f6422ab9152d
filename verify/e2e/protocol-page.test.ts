// The protocol page names everything that the code sends, and its examples cover every frame.

import { expect } from "chai";
import { clientFrameSchemas } from "#shared/protocol/client-frames.ts";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import { ERRORS } from "#shared/protocol/errors.ts";
import type { ServerFrame } from "#shared/protocol/server-frames.ts";
import { differenceOf, exchangesOf, readPage, stepsOf } from "./protocol-page.ts";

/**
 * The compiler demands every kind here. `example`: false where only an operator causes the frame.
 */
const SERVER_FRAMES: { readonly [T in ServerFrame["t"]]: { readonly example: boolean } } = {
  welcome: { example: true },
  joined: { example: true },
  left: { example: true },
  "caught-up": { example: true },
  ack: { example: true },
  error: { example: true },
  presence: { example: true },
  typing: { example: true },
  reads: { example: true },
  note: { example: true },
  rooms: { example: true },
  page: { example: true },
  pong: { example: true },
  refreshed: { example: true },
  reconnect: { example: false },
  msg: { example: true },
  edited: { example: true },
  deleted: { example: true },
  reacted: { example: true },
  pinned: { example: true },
  member: { example: true },
  room: { example: true },
  invite: { example: true },
};

describe("The protocol page", () => {
  const page = readPage();
  const steps = stepsOf(page);
  const sectionOf = (title: string): string =>
    page.split(/^## /m).find((section) => section.startsWith(`${title}\n`)) ?? "";

  it("describes every client frame and all of its fields, and shows an example of it", () => {
    for (const [type, schema] of Object.entries(clientFrameSchemas)) {
      const [, section = ""] = sectionOf("Client frames").split(`### ${type}\n`);
      const [own = ""] = section.split(/^### /m);
      for (const field of Object.keys(schema.shape)) {
        if (field !== "t") expect(own, `${type}.${field}`).to.contain(`| \`${field}\` |`);
      }
      const sent = steps.some(
        (step) => step.kind === "send" && step.frame.startsWith(`{"t":"${type}"`),
      );
      expect(sent, `an example that sends ${type}`).to.equal(true);
    }
  });

  it("describes every server frame, and shows an example of each that a client can cause", () => {
    for (const [type, { example }] of Object.entries(SERVER_FRAMES)) {
      expect(sectionOf("Server frames"), type).to.contain(`### ${type}\n`);
      const came = steps.some((step) => step.kind === "receive" && step.frame["t"] === type);
      expect(came, `an example that receives ${type}`).to.equal(example);
    }
  });

  it("lists every error with its code and whether a retry may succeed", () => {
    for (const [name, { code, retry }] of Object.entries(ERRORS)) {
      const row = `| \`${name}\` | ${code} | ${retry ? "yes" : "no"} |`;
      expect(sectionOf("Errors")).to.contain(row);
    }
  });

  const STEPS = {
    reconnect: /^Reconnect[.,] /,
    "reconnect-slowly": /^Reconnect, not before 15 s\./,
    "renew-token": /^Reconnect with a new token\./,
    "replace-token": /^Try one new token, then stop\./,
    stop: /^Stop[.;]/,
  } as const;

  it("lists every close code with its reason and the client's next step", () => {
    for (const { code, reason, next } of Object.values(CLOSE)) {
      const [, row] = sectionOf("Close codes").split(`| ${code} | \`${reason}\` | `);
      expect(row, `${code} ${reason}`).to.match(STEPS[next]);
    }
  });

  it("compares frames by all fields, and by type alone where values differ from run to run", () => {
    const shown = { t: "pong", ref: 1, at: 7 };
    expect(differenceOf(shown, { t: "pong", ref: 1, at: 8 })).to.equal(undefined);
    expect(differenceOf(shown, { v: 1, ...shown })).to.equal(undefined);
    expect(differenceOf(shown, { ...shown, ref: 2 })).to.contain("frame.ref is 2");
    expect(differenceOf(shown, { ...shown, at: "8" })).to.contain("frame.at");
    expect(differenceOf(shown, { ...shown, more: true })).to.contain("frame.more");
    expect(differenceOf(shown, { t: "pong", ref: 1 })).to.contain("frame.at is undefined");
    expect(differenceOf({ a: [1] }, { a: [1, 2] })).to.contain("frame.a.1");
    expect(differenceOf({ a: [1] }, { a: { 0: 1 } })).to.contain("frame.a is");
    expect(differenceOf({ text: "…" }, { text: "any" })).to.equal(undefined);
  });

  it("protocol-page.1: rejects an example line that it cannot read", () => {
    expect(() => stepsOf('```frames\nada > {"t":"ping"}\n```')).to.throw(
      "not a line of an example",
    );
    expect(() => exchangesOf("```http\nGET /x\n```")).to.throw("not an HTTP example");
  });
});
