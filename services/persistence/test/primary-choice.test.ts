import { expect } from "chai";
import { PrimaryChoice } from "../core/primary-choice.ts";
import type { ServerState } from "../core/primary-choice.ts";

const standby: ServerState = { kind: "standby" };
const silent: ServerState = { kind: "silent", reason: "timeout" };

function primary(timeline: number): ServerState {
  return { kind: "primary", timeline };
}

describe("PrimaryChoice", () => {
  it("primary-choice.1: chooses the server that takes writes", () => {
    const choice = new PrimaryChoice<string>();
    expect(choice.learn("a", standby)).to.equal(false);
    expect(choice.learn("b", silent)).to.equal(false);
    expect(choice.server).to.equal(undefined);
    expect(choice.learn("c", primary(1))).to.equal(true);
    expect(choice.learn("c", primary(1))).to.equal(false);
    expect(choice.server).to.equal("c");
  });

  it("primary-choice.1: of two servers that take writes, chooses the one that was promoted last", () => {
    const choice = new PrimaryChoice<string>();
    choice.learn("a", primary(1));
    expect(choice.learn("b", primary(3))).to.equal(true);
    expect(choice.learn("c", primary(2))).to.equal(false);
    expect(choice.server).to.equal("b");
  });

  it("primary-choice.2: keeps a server that is silent or a standby, and never returns to an old one", () => {
    const choice = new PrimaryChoice<string>();
    choice.learn("a", primary(1));
    choice.learn("a", silent);
    choice.learn("a", standby);
    expect(choice.server).to.equal("a");
    expect(choice.learn("b", primary(2))).to.equal(true);
    choice.learn("b", silent);
    expect(choice.learn("a", primary(1))).to.equal(false);
    expect(choice.server).to.equal("b");
    expect(choice.learn("a", primary(3)), "a is promoted again").to.equal(true);
    expect(choice.server).to.equal("a");
  });

  it("primary-choice.2: a server that was promoted twice counts with its last timeline", () => {
    const choice = new PrimaryChoice<string>();
    choice.learn("a", primary(1));
    expect(choice.learn("a", primary(3)), "the choice stays").to.equal(false);
    expect(choice.learn("b", primary(2))).to.equal(false);
    expect(choice.server).to.equal("a");
  });

  it("primary-choice.1: a second server on the timeline of the chosen one is not chosen", () => {
    const choice = new PrimaryChoice<string>();
    choice.learn("a", primary(2));
    expect(choice.learn("b", primary(2))).to.equal(false);
    expect(choice.server).to.equal("a");
  });
});
