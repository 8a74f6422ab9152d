// NameBook, with an API and a clock of the test.

import { expect } from "chai";
import { NAMES_MAX } from "#shared/protocol/limits.ts";
import { NameBook } from "../store/name-book.ts";

class Server {
  readonly asked: (readonly string[])[] = [];
  readonly known = new Map<string, string>();
  isDown = false;
  now = 0;
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  readonly api = {
    names: async (users: readonly string[]): Promise<{ user: string; name: string }[]> => {
      this.asked.push(users);
      if (this.isDown) throw new Error("no connection");
      return users.flatMap((user) => {
        const name = this.known.get(user);
        return name === undefined ? [] : [{ user, name }];
      });
    },
  };
  readonly clock = {
    now: () => this.now,
    after: (ms: number, run: () => void) => {
      const timer = { at: this.now + ms, run };
      this.#timers.push(timer);
      return { cancel: () => (this.#timers = this.#timers.filter((one) => one !== timer)) };
    },
  };

  async advance(ms: number): Promise<void> {
    this.now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.now);
    this.#timers = this.#timers.filter(({ at }) => at > this.now);
    for (const { run } of due) run();
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }
}

describe("NameBook", () => {
  const open = (): { server: Server; book: NameBook; changes: () => number } => {
    const server = new Server();
    const book = new NameBook(server);
    let changes = 0;
    book.subscribe(() => changes++);
    return { server, book, changes: () => changes };
  };

  it("DN4, name-book.1: an unknown user is shown by the id, and all are asked for together", async () => {
    const { server, book, changes } = open();
    server.known.set("ada", "Ada Lovelace");
    expect([book.of("ada"), book.of("ben"), book.of("ada")]).to.deep.equal(["ada", "ben", "ada"]);
    expect(server.asked).to.deep.equal([]);
    await server.advance(50);
    expect(server.asked).to.deep.equal([["ada", "ben"]]);
    expect([book.of("ada"), book.of("ben")]).to.deep.equal(["Ada Lovelace", "ben"]);
    expect(changes()).to.equal(1);
    for (let i = 0; i < NAMES_MAX + 1; i++) book.of(`user${i}`);
    await server.advance(50);
    await server.advance(50);
    expect(server.asked.slice(1).map(({ length }) => length)).to.deep.equal([NAMES_MAX, 1]);
  });

  it("name-book.2: a name is asked for again after a while, and after a failure", async () => {
    const { server, book } = open();
    server.isDown = true;
    book.of("ada");
    await server.advance(50);
    server.isDown = false;
    server.known.set("ada", "Ada");
    await server.advance(1_000);
    expect(server.asked).to.have.length(1);
    await server.advance(30_000);
    expect(book.of("ada")).to.equal("Ada");
    server.known.set("ada", "Ada L.");
    await server.advance(600_000);
    expect(book.of("ada")).to.equal("Ada");
    await server.advance(50);
    expect(book.of("ada")).to.equal("Ada L.");
  });

  it("name-book.3: the oldest names are forgotten", async () => {
    const { server, book } = open();
    for (let i = 0; i < 2_050; i++) {
      server.known.set(`user${i}`, `User ${i}`);
      book.of(`user${i}`);
    }
    for (let i = 0; i < 30; i++) await server.advance(50);
    expect(book.of("user2049")).to.equal("User 2049");
    expect(book.of("user0")).to.equal("user0");
    book.close();
  });
});
