// Every sentence that states a fact about the connection or the room.

import { expect } from "chai";
import type { Connection } from "../store/words.ts";
import {
  badge,
  completenessWords,
  connectionWords,
  dayWords,
  plural,
  typingWords,
} from "../store/words.ts";

const NOON = new Date(2026, 10, 3, 12).getTime();
const DAY = 24 * 3_600_000;

function connection(state: Connection["state"], more: Partial<Connection> = {}): Connection {
  return { state, retryAt: undefined, problem: undefined, ...more };
}

describe("words", () => {
  it("K1: the wait for the next attempt is told in whole seconds", () => {
    const words = (inMs: number): string =>
      connectionWords(connection("waiting", { retryAt: NOON + inMs }), NOON).long;
    expect(words(3_200)).to.contain("Reconnecting in 4 s");
    expect(words(-5)).to.contain("Reconnecting now");
    expect(connectionWords(connection("connecting"), NOON).tone).to.equal("waiting");
    expect(connectionWords(connection("online"), NOON).short).to.equal("Online");
  });

  it("K4: a connection that will not come back says why", () => {
    const closed = connection("closed", { problem: "The token was refused." });
    expect(connectionWords(closed, NOON).long).to.equal("Offline. The token was refused.");
  });

  it("K3: complete is said only when everything up to the head is there", () => {
    const words = (completeThrough: number, head: number): string =>
      completenessWords({ status: "live", completeThrough, head });
    expect(words(1_284, 1_284)).to.equal("Complete through #1,284");
    expect(words(1_200, 1_284)).to.equal("Reading #1,200 of #1,284");
    expect(words(0, 0)).to.equal("Nothing said yet");
    expect(completenessWords({ status: "joining", completeThrough: 0, head: 0 })).to.equal(
      "Joining…",
    );
  });

  it("A5: who is typing is named up to two", () => {
    expect(typingWords([])).to.equal("");
    expect(typingWords(["Ada"])).to.equal("Ada is typing");
    expect(typingWords(["Ada", "Grace"])).to.equal("Ada and Grace are typing");
    expect(typingWords(["Ada", "Grace", "Radia"])).to.equal("Ada and 2 others are typing");
  });

  it("O3: days are named as people name them", () => {
    expect(dayWords(NOON, NOON)).to.equal("Today");
    expect(dayWords(NOON - DAY, NOON)).to.equal("Yesterday");
    expect(dayWords(NOON - 5 * DAY, NOON)).to.equal("Thursday 29 October");
    expect(dayWords(NOON - 400 * DAY, NOON)).to.equal("29 September 2025");
  });

  it("A1: counts agree with their nouns and fit their badge", () => {
    expect(plural(1, "person", "people")).to.equal("1 person");
    expect(plural(1_200, "person", "people")).to.equal("1,200 people");
    expect([badge(7), badge(99), badge(100)]).to.deep.equal(["7", "99", "99+"]);
  });
});
