// Identity and room search: names, room ids, tokens, and the matches for a few letters.

import { expect } from "chai";
import { arrive, fetchDevToken, readName, readRoom, rememberUser } from "../store/identity.ts";
import { matchRooms } from "../store/match-rooms.ts";
import type { KnownRoom } from "../store/match-rooms.ts";

function storage(
  values: Record<string, string> = {},
): Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  const map = new Map(Object.entries(values));
  return {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
    removeItem: (key) => void map.delete(key),
  };
}

function answer(status: number, body: unknown): typeof fetch {
  return async () => new Response(JSON.stringify(body), { status });
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "",
    (error: unknown) => String(error),
  );
}

describe("identity", () => {
  it("N4: the address names the user, else the stored name counts", () => {
    const kept = storage();
    rememberUser(kept, "grace");
    expect(arrive("?user=ada&room=general", kept)).to.deep.equal({ user: "ada", room: "general" });
    expect(arrive("", kept)).to.deep.equal({ user: "grace", room: undefined });
    rememberUser(kept, undefined);
    expect(arrive("", kept).user).to.equal(undefined);
    expect(arrive(`?user=${"x".repeat(200)}`, kept).user).to.equal(undefined);
  });

  it("N4: a name is any storable text of 1 to 128 bytes, normalized", () => {
    expect(readName("  Ada \n Lovelace ")).to.deep.equal({ ok: true, name: "Ada Lovelace" });
    expect(readName("e\u0301")).to.deep.equal({ ok: true, name: "é" });
    for (const name of ["", "   ", "é".repeat(65), "a\u0000b", "\ud800"]) {
      expect(readName(name), JSON.stringify(name)).to.deep.equal({ ok: false });
    }
  });

  it("N1: a typed room name becomes a room id where possible", () => {
    expect(readRoom(" #Release notes ")).to.equal("Release-notes");
    expect(readRoom("##general")).to.equal("general");
  });

  it("S2: a token is fetched for a name, and a refusal is a sentence for the user", async () => {
    expect(await fetchDevToken(answer(200, { token: "abc" }), "ada")).to.equal("abc");
    expect(await failure(fetchDevToken(answer(404, {}), "ada"))).to.contain(
      "cannot sign in on this page",
    );
    expect(await failure(fetchDevToken(answer(503, {}), "ada"))).to.contain("503");
    expect(await failure(fetchDevToken(answer(200, { token: 5 }), "ada"))).to.contain(
      "invalid answer",
    );
  });
});

describe("match rooms", () => {
  const room = (name: string, title = name): KnownRoom => ({ name, title, kind: "open" });
  const listed: readonly KnownRoom[] = [
    room("general"),
    room("engineering"),
    room("on-call", "Who is on call"),
    { name: "dm-hash", title: "grace", kind: "direct" },
  ];
  const match = (typed: string): string[] =>
    matchRooms(typed, listed, [room("random"), room("general")]).map(
      ({ room, kind }) => `${room}:${kind}`,
    );

  it("N1: a few letters find a room; the best match is first", () => {
    expect(match("en")).to.deep.equal([
      "engineering:listed",
      "general:listed",
      "en:new",
      "en:user",
    ]);
    expect(match("GEN")[0]).to.equal("general:listed");
    expect(match("who")[0]).to.equal("on-call:listed");
    expect(match("on call")[0]).to.equal("on-call:listed");
    expect(match("ran")[0]).to.equal("random:found");
    expect(match("").length).to.equal(5);
  });

  it("N1: offers a new room for a valid name, and none for an invalid name", () => {
    expect(match("release notes")).to.deep.equal(["release-notes:new", "release notes:user"]);
    expect(match("#general")).to.deep.equal(["general:listed"]);
    expect(match("größe")).to.deep.equal(["größe:user"]);
  });

  it("N1: offers a user, once, and only users after an @", () => {
    expect(match("@gr")).to.deep.equal(["dm-hash:listed", "gr:user"]);
    expect(match("grace")).to.deep.equal(["dm-hash:listed", "grace:new"]);
    expect(match("hash")).to.not.contain("dm-hash:listed");
  });
});
