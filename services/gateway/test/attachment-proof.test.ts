// The signatures, the types and the names of attachments.

import { expect } from "chai";
import type { Attachment } from "#shared/protocol/attachments.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { ATTACHMENT_NAME_LENGTH_MAX } from "#shared/protocol/limits.ts";
import { HmacLinks, HmacProofs } from "../adapters/attachment-proof.ts";
import { fileName } from "../adapters/file-name.ts";
import { isListed, mediaTypeOf } from "../adapters/media-type.ts";

const KEY = new Uint8Array(32).fill(7);
const room = "plans" as RoomId;
const user = "ada" as UserId;
const id = "01890000-0000-7000-8000-000000000001" as MessageId;
const file: Attachment = { id, name: "a.png", type: "image/png", bytes: 9, width: 3, height: 2 };

describe("Attachment proofs", () => {
  it("AT2: another gateway with the key accepts a proof, and no changed field", () => {
    const signed = new HmacProofs(KEY).sign(file, { room, user }, 5_000);
    const other = new HmacProofs(KEY);
    expect(other.isValid(signed, { room, user })).to.equal(true);
    const changes = [
      { name: "b.png" },
      { type: "text/html" },
      { bytes: 10 },
      { width: 4 },
      { height: undefined },
      { until: 5_001 },
      { id: id.replace("1", "2") as MessageId },
      { proof: "A".repeat(43) },
      { proof: "" },
    ];
    for (const change of changes) {
      const changed = { ...signed, ...change };
      expect(other.isValid(changed, { room, user }), JSON.stringify(change)).to.equal(false);
    }
    expect(other.isValid(signed, { room: "other" as RoomId, user })).to.equal(false);
    expect(other.isValid(signed, { room, user: "ben" as UserId })).to.equal(false);
    expect(new HmacProofs(new Uint8Array(32)).isValid(signed, { room, user })).to.equal(false);
  });

  it("AT4: a link opens what it was made for, and a changed or foreign one opens nothing", () => {
    const links = new HmacLinks(KEY);
    const link = { id, room, user, issuedAt: 1, isThumbnail: false, until: 9 };
    const text = links.encode(link);
    expect(new HmacLinks(KEY).decode(text)).to.deep.equal(link);
    const forged = Buffer.from(JSON.stringify({ ...link, user: "eve" })).toString("base64url");
    for (const wrong of [`${forged}.${text.split(".")[1]}`, text.slice(1), "", ".", "a.b", "a"]) {
      expect(links.decode(wrong), wrong).to.equal(undefined);
    }
    expect(links.decode("a".repeat(10_000))).to.equal(undefined);
    const { proof } = new HmacProofs(KEY).sign(file, { room, user }, 9);
    expect(links.decode(`${Buffer.from("{}").toString("base64url")}.${proof}`)).to.equal(undefined);
  });
});

describe("The type of a file", () => {
  it("AT3: comes from its first bytes", async () => {
    const of = (text: string, encoding: BufferEncoding = "latin1") =>
      mediaTypeOf(Buffer.from(text, encoding));
    expect(await of("\x89PNG\r\n\x1a\n\0\0\0\rIHDR".padEnd(100, "\0"))).to.equal("image/png");
    expect(await of("\xff\xd8\xff\xe0\0\x10JFIF".padEnd(100, "\0"))).to.equal("image/jpeg");
    expect(await of("%PDF-1.7\n")).to.equal("application/pdf");
    expect(await of("<!doctype html><script>alert(1)</script>")).to.equal("text/plain");
    expect(await of('<?xml version="1.0"?><svg/>')).to.equal("text/plain");
    expect(await of('{"a":1}')).to.equal("text/plain");
    expect(await of("grüße ❤", "utf8")).to.equal("text/plain");
    // A character that the look cuts.
    expect(await mediaTypeOf(Buffer.from("grüße ❤", "utf8").subarray(0, -1))).to.equal(
      "text/plain",
    );
    expect(await of("MZ\x90\0")).to.equal("application/x-msdownload");
    expect(await of("\x00\x01\x02 nothing known")).to.equal("application/octet-stream");
    expect(await of("")).to.equal("text/plain");
  });

  it("AT7: a list has a type, or its group", () => {
    expect(isListed(["image/*", "text/plain"], "image/png")).to.equal(true);
    expect(isListed(["image/*", "text/plain"], "text/html")).to.equal(false);
    expect(isListed(["*/*"], "application/octet-stream")).to.equal(true);
    expect(isListed([], "text/plain")).to.equal(false);
  });

  it("file-name.1 and .2: a name has no path and no trick, and keeps its extension", () => {
    expect(fileName("C:\\Users\\ada\\plan.txt")).to.equal("plan.txt");
    expect(fileName("/etc/passwd")).to.equal("passwd");
    expect(fileName("photo\u202egpj.exe")).to.equal("photogpj.exe");
    expect(fileName("a\u0000b\r\nc\ud800.txt")).to.equal("abc.txt");
    for (const none of ["", "..", ".", "a/", " \u202e "]) expect(fileName(none)).to.equal("file");
    const long = fileName(`${"ä".repeat(400)}.tar.gz`);
    expect(Array.from(long)).to.have.length(ATTACHMENT_NAME_LENGTH_MAX);
    expect(long.endsWith("ä.gz")).to.equal(true);
  });
});
