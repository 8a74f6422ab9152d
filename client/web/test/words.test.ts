// Words: every sentence about the connection or the room.

import { expect } from "chai";
import { ERRORS } from "#shared/protocol/errors.ts";
import { t } from "../texts/texts.ts";
import type { Connection } from "../store/words.ts";
import {
  badge,
  completenessWords,
  connectionWords,
  dayWords,
  failureWords,
  typingWords,
} from "../store/words.ts";

const IMPLEMENTATION_TERMS = /\b(?:log|hole|gap|seq|head|cursor|token|socket|frame)s?\b/i;
const NOON = new Date(2026, 10, 3, 12).getTime();
const DAY = 24 * 3_600_000;

function connection(state: Connection["state"], more: Partial<Connection> = {}): Connection {
  return { state, retryAt: undefined, problem: undefined, ...more };
}

describe("words", () => {
  it("K1: the wait for the next attempt is shown in whole seconds", () => {
    const words = (inMs: number): string =>
      connectionWords(connection("waiting", { retryAt: NOON + inMs }), NOON).long;
    expect(words(3_200)).to.contain("Reconnecting in 4 s");
    expect(words(-5)).to.contain("Reconnecting now");
    expect(connectionWords(connection("connecting"), NOON).tone).to.equal("waiting");
    expect(connectionWords(connection("online"), NOON).short).to.equal("Online");
  });

  it("K4: a closed connection shows the reason", () => {
    const closed = connection("closed", { problem: "The token was refused." });
    expect(connectionWords(closed, NOON).long).to.equal("Offline. The token was refused.");
  });

  it("K3: the header reports all messages only when none up to the newest is missing", () => {
    const words = (completeThrough: number, head: number): string =>
      completenessWords({ status: "live", completeThrough, head });
    expect(words(1_284, 1_284)).to.equal("All messages up to #1,284");
    expect(words(1_200, 1_284)).to.equal("Loading #1,200 of #1,284");
    expect(words(0, 0)).to.equal("No messages yet");
    expect(completenessWords({ status: "joining", completeThrough: 0, head: 0 })).to.equal(
      "Joining…",
    );
  });

  it("words.1: no sentence uses a term of the implementation", () => {
    const states = ["idle", "connecting", "online", "waiting", "closed"] as const;
    const statuses = ["joining", "catching-up", "live", "left"] as const;
    const sentences = [
      ...states.map((state) => connectionWords(connection(state), NOON).long),
      ...statuses.flatMap((status) =>
        [0, 4, 5].map((head) => completenessWords({ status, completeThrough: 4, head })),
      ),
    ];
    sentences.push(...Object.keys(ERRORS).map(failureWords), failureWords("of a newer server"));
    for (const sentence of sentences) expect(sentence).to.not.match(IMPLEMENTATION_TERMS);
  });

  it("A5: up to two typing users are named", () => {
    expect(typingWords([])).to.equal("");
    expect(typingWords(["Ada"])).to.equal("Ada is typing");
    expect(typingWords(["Ada", "Grace"])).to.equal("Ada and Grace are typing");
    expect(typingWords(["Ada", "Grace", "Radia"])).to.equal("Ada and 2 others are typing");
  });

  it("O3: days have the names that users expect", () => {
    expect(dayWords(NOON, NOON)).to.equal("Today");
    expect(dayWords(NOON - DAY, NOON)).to.equal("Yesterday");
    expect(dayWords(NOON - 5 * DAY, NOON)).to.equal("Thursday, October 29");
    expect(dayWords(NOON - 400 * DAY, NOON)).to.equal("September 29, 2025");
  });

  it("A1: counts agree with their nouns and fit the badge", () => {
    expect(t("room.hereNow", { count: 1 })).to.equal("1 person here now");
    expect(t("room.hereNow", { count: 1_200 })).to.equal("1,200 people here now");
    expect([badge(7), badge(99), badge(100)]).to.deep.equal(["7", "99", "99+"]);
  });
});
