// Mentions, links, names of rooms and days: the pure parts behind completion and jumps.

import { expect } from "chai";
import {
  complete,
  completionAt,
  cutMentions,
  mentionsIn,
  namesFor,
} from "../store/mention-text.ts";
import { findDay } from "../store/find-day.ts";
import {
  forgetInvite,
  inviteLink,
  keepInvite,
  messageLink,
  readLink,
} from "../store/page-links.ts";
import { roomNameOf } from "../store/room-name.ts";

const NAMES = ["Ada", "Ada Lovelace", "grace", "room", "<b>", "مريم"];

describe("mentions", () => {
  it("mention-text.1: begin at the start or behind a space, and never in an address", () => {
    const at = (text: string): string | undefined => completionAt(text, text.length)?.query;
    expect(at("@")).to.equal("");
    expect(at("hello @gr")).to.equal("gr");
    expect(at("(@gr")).to.equal("gr");
    expect(at("hello @Ada Lo")).to.equal("Ada Lo");
    expect(at("@مر")).to.equal("مر");
    for (const text of ["", "mail ada@example", "x/@gr", "@@gr", "@a\nb", `@${"x".repeat(60)}`]) {
      expect(at(text), text).to.equal(undefined);
    }
    expect(completionAt("@gr and more", 3)).to.deep.equal({ from: 0, query: "gr" });
  });

  it("mention-text.2: complete the name and put the caret behind it", () => {
    const completion = completionAt("hi @gr, look", 6)!;
    expect(complete("hi @gr, look", completion, "grace")).to.deep.equal({
      text: "hi @grace , look",
      caret: 10,
    });
    expect(namesFor("ada", NAMES)).to.deep.equal(["Ada", "Ada Lovelace"]);
    expect(namesFor("love", NAMES)).to.deep.equal(["Ada Lovelace"]);
    expect(namesFor("", NAMES).length).to.equal(6);
  });

  it("mention-text.2: the longest known name wins", () => {
    expect(mentionsIn("@Ada Lovelace and @grace, @ada @gracey a@grace", NAMES)).to.deep.equal([
      "Ada Lovelace",
      "grace",
    ]);
    expect(mentionsIn("@Ada! (@<b>) @مريم.", NAMES)).to.deep.equal(["Ada", "<b>", "مريم"]);
    expect(mentionsIn("@ @@ @", NAMES)).to.deep.equal([]);
  });

  it("mention-text.3: the parts are the text, and a hostile text is cut fast", () => {
    for (const text of ["", "a", "@Ada", "x @Ada y @grace z", "@".repeat(50_000)]) {
      const started = performance.now();
      expect(
        cutMentions(text, NAMES)
          .map((part) => part.text)
          .join(""),
      ).to.equal(text);
      expect(performance.now() - started).to.be.below(1_000);
    }
  });
});

describe("links", () => {
  it("page-links.1: an address names a room, a message, an invite", () => {
    const read = (address: string): object => readLink(new URL(address));
    expect(read(messageLink("https://chat.example", "plans", 42))).to.deep.equal({
      room: "plans",
      message: 42,
    });
    const link = inviteLink("https://chat.example", "plans.x.y");
    expect(new URL(link).search).to.equal("");
    expect(read(link)).to.deep.equal({ invite: "plans.x.y" });
    for (const wrong of ["?room=a b#message=-1", "#message=x", "#invite=", "", "#message=1e99"]) {
      expect(read(`https://chat.example/${wrong}`), wrong).to.deep.equal({});
    }
  });

  it("page-links.2: an invite is kept until it was used", () => {
    const values = new Map<string, string>();
    const storage = {
      getItem: (key: string) => values.get(key) ?? null,
      setItem: (key: string, value: string) => void values.set(key, value),
      removeItem: (key: string) => void values.delete(key),
    };
    expect(keepInvite(new URL("https://chat.example/#invite=a.b.c"), storage)).to.equal("a.b.c");
    expect(keepInvite(new URL("https://chat.example/?code=1"), storage)).to.equal("a.b.c");
    forgetInvite(storage);
    expect(keepInvite(new URL("https://chat.example/"), storage)).to.equal(undefined);
  });

  it("N1: a title gives a valid name", () => {
    expect(roomNameOf("Café & Plans 2026!")).to.equal("cafe-plans-2026");
    expect(roomNameOf("  --x--  ")).to.equal("x");
    expect(roomNameOf("会議")).to.equal("");
  });
});

describe("find day", () => {
  const times = [10, 10, 20, 30, 30, 30, 40];

  it("finds the first event that is not before the time", async () => {
    let asked = 0;
    const timeOf = async (seq: number): Promise<number | undefined> => {
      asked += 1;
      return times[seq - 1];
    };
    const found = await Promise.all([5, 10, 11, 30, 40, 41].map((at) => findDay(at, 7, timeOf)));
    expect(found).to.deep.equal([1, 1, 3, 4, 7, 7]);
    expect(asked).to.be.at.most(6 * 3);
    expect(await findDay(5, 0, timeOf)).to.equal(1);
    expect(await findDay(5, 7, async () => undefined)).to.equal(undefined);
  });
});
