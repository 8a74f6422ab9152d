// PendingFiles, PageFiles, the words and the boxes: the files of a new message without a browser.

import { expect } from "chai";
import { ATTACHMENTS_MAX } from "#shared/protocol/limits.ts";
import { Draft } from "../store/draft.ts";
import { boxOf } from "../store/file-box.ts";
import { kindOf, sizeWords } from "../store/files/file-words.ts";
import { PageFiles } from "../store/files/page-files.ts";
import { PendingFiles } from "../store/files/pending-files.ts";
import { loadLanguage } from "../texts/language.ts";
import { addTexts, setLanguage } from "../texts/texts.ts";
import { englishFiles } from "../texts/english-files.ts";
import { FakeFiles } from "./fixture/fake-files.ts";

const file = (name: string, size = 5): File => new File(["x".repeat(size)], name);

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

interface FilesFixture {
  readonly port: FakeFiles;
  readonly files: PendingFiles;
  readonly states: () => string[];
}

function createFiles(bytesMax = 100): FilesFixture {
  const port = new FakeFiles();
  const files = new PendingFiles({ port, room: "general", bytesMax, changed: () => undefined });
  return { port, files, states: () => files.all.map(({ state }) => state) };
}

describe("pending files", () => {
  before(() => addTexts(englishFiles));

  it("pending-files.1: takes as many as a message has, and says so once", () => {
    const { files } = createFiles();
    files.add(Array.from({ length: ATTACHMENTS_MAX + 1 }, (_, n) => file(`${n}.txt`)));
    expect(files.count).to.equal(ATTACHMENTS_MAX);
    expect(files.problem).to.equal("A message has at most 10 files.");
    files.remove(files.all[0]?.key ?? 0);
    expect(files.problem).to.equal(undefined);
  });

  it("pending-files.2: two uploads at once, in the order of the choice", async () => {
    const { port, files, states } = createFiles();
    files.add([file("a"), file("b"), file("c")]);
    expect(states()).to.deep.equal(["uploading", "uploading", "waiting"]);
    port.uploads[1]?.finish();
    await settled();
    expect(states()).to.deep.equal(["uploading", "uploaded", "uploading"]);
    port.uploads[0]?.way.onProgress(0.505);
    expect(files.all[0]?.part).to.equal(0.5);
    expect(files.uploaded).to.equal(undefined);
    for (const upload of port.uploads) upload.finish();
    await settled();
    expect(files.uploaded?.map(({ name }) => name)).to.deep.equal(["a", "b", "c"]);
    expect(port.uploads.map(({ way }) => way.name)).to.deep.equal(["a", "b", "c"]);
  });

  it("pending-files.3: an empty and a too large file are refused in words, unsent", () => {
    const { port, files } = createFiles(2_500_000);
    files.add([file("empty", 0), file("large", 2_500_001)]);
    expect(port.uploads).to.deep.equal([]);
    expect(files.all.map(({ problem }) => problem)).to.deep.equal([
      "This file is empty.",
      "Too large: a file has at most 2.5 MB.",
    ]);
    expect(files.all.some(({ canRetry }) => canRetry)).to.equal(false);
  });

  it("pending-files.4: a removed file ends its upload, and its answer changes nothing", async () => {
    const { port, files, states } = createFiles();
    files.add([file("a"), file("b"), file("c")]);
    files.remove(files.all[0]?.key ?? 0);
    expect(port.uploads[0]?.way.signal.aborted).to.equal(true);
    await settled();
    expect(states()).to.deep.equal(["uploading", "uploading"]);
    expect(port.uploads[2]?.way.name).to.equal("c");
    files.clear();
    expect(port.uploads.every(({ way }) => way.signal.aborted)).to.equal(true);
    expect(files.count).to.equal(0);
  });

  it("AT11: each refusal has its words, and a temporary one is tried again", async () => {
    const { port, files, states } = createFiles(1_000_000);
    const refusals = [
      ["too_large", "size", "Too large: a file has at most 1 MB."],
      ["too_large", "quota", "All your files together are too large."],
      ["forbidden", "type", "This server does not accept files of this type."],
      ["not_found", "off", "This server accepts no files."],
      ["forbidden", undefined, "You are not allowed to do this here."],
      ["busy", undefined, "The server is busy."],
    ] as const;
    for (const [at, [code, reason, words]] of refusals.entries()) {
      files.add([file(`${at}`)]);
      port.uploads[at]?.refuse(code, reason);
      await settled();
      expect(files.all[at]?.problem, code).to.contain(words);
    }
    expect(files.all.map(({ canRetry }) => canRetry).lastIndexOf(false)).to.equal(4);
    for (const { key } of files.all) files.retry(key);
    expect(states()).to.deep.equal([...Array<string>(5).fill("failed"), "uploading"]);
  });
});

describe("files of a draft", () => {
  it("draft.3: a message is sent when its files are uploaded, also without a text; an edit changes none", async () => {
    const { port, files } = createFiles();
    const sent: unknown[] = [];
    let loads = 0;
    const draft = new Draft({
      saved: "",
      typed: () => undefined,
      changed: () => undefined,
      loadFiles: async () => {
        loads += 1;
        if (loads === 1) throw new Error("offline");
        return files;
      },
      send: (text, attachments) => sent.push([text, attachments?.map(({ name }) => name)]),
      edit: () => undefined,
    });
    await draft.attach([file("a")]);
    expect(draft.problem).to.equal("This part of the page could not be loaded. Reload the page.");
    await Promise.all([draft.attach([file("a")]), draft.attach([file("b")])]);
    expect([loads, draft.problem, files.count]).to.deep.equal([2, undefined, 2]);
    draft.set("with files");
    expect(draft.submit()).to.equal(false);
    draft.edit({ kind: "sent", id: "i", seq: 1, from: "ada", at: 1, text: "old" });
    expect([draft.files, draft.canAttach, draft.canSubmit]).to.deep.equal([undefined, false, true]);
    await draft.attach([file("c")]);
    draft.cancel();
    draft.set("");
    for (const upload of port.uploads) upload.finish();
    await settled();
    expect(draft.submit()).to.equal(true);
    expect(sent).to.deep.equal([["", ["a", "b"]]]);
    expect(draft.files).to.equal(undefined);
    expect(draft.canSubmit).to.equal(false);
    await draft.attach([file("late")]);
    draft.close();
    expect(port.uploads.at(-1)?.way.signal.aborted).to.equal(true);
  });
});

describe("links of files", () => {
  interface Asked {
    readonly files: PageFiles;
    readonly asked: string[];
    now: number;
  }

  function createLinks(answers: (count: number) => Response): Asked {
    const asked: string[] = [];
    let tokens = 1;
    const fetcher: typeof fetch = (url, init) => {
      const { authorization } = (init?.headers ?? {}) as Record<string, string>;
      asked.push(`${authorization} ${new URL(url as URL).pathname}`);
      return Promise.resolve(answers(asked.length));
    };
    const made: Asked = {
      asked,
      now: 0,
      files: new PageFiles({
        url: "https://chat.example",
        token: async () => `t${tokens}`,
        renew: () => (tokens += 1),
        now: () => made.now,
        fetcher,
      }),
    };
    return made;
  }
  const link = (count: number): Response =>
    Response.json({ url: `/v1/files/${count}`, until: 900_000 });

  it("page-files.1: a link is asked for once, and again before it ends or when it does not work", async () => {
    const made = createLinks(link);
    const urls = async (isFresh?: boolean): Promise<string> =>
      (await made.files.link("tea", "id-1", isFresh)).url;
    expect(await Promise.all([urls(), urls()])).to.deep.equal([
      "https://chat.example/v1/files/1",
      "https://chat.example/v1/files/1",
    ]);
    expect(await urls(true)).to.match(/2$/u);
    expect(await urls()).to.match(/2$/u);
    made.now = 850_000;
    expect(await urls()).to.match(/3$/u);
    for (let n = 0; n < 500; n++) await made.files.link("tea", `other-${n}`);
    made.now = 0;
    expect(await urls(), "the oldest is forgotten").to.match(/504$/u);
  });

  it("page-files.2: a refused token is renewed once, and a failed link is not kept", async () => {
    const refuse = (): Response => Response.json({ name: "unauthorized" }, { status: 401 });
    const made = createLinks((count) => (count === 1 || count > 2 ? refuse() : link(count)));
    await made.files.link("tea", "id-1");
    const path = "/v1/rooms/tea/attachments/id-1";
    expect(made.asked).to.deep.equal([`Bearer t1 ${path}`, `Bearer t2 ${path}`]);
    const failed = await made.files.link("tea", "id-2").catch((error: unknown) => error);
    expect(failed).to.include({ code: "unauthorized" });
    await made.files.link("tea", "id-2").catch(() => undefined);
    expect(made.asked.length).to.equal(6);
  });
});

describe("words and boxes of files", () => {
  after(async () => setLanguage(await loadLanguage({ code: "en", locale: "en" })));

  it("sizes are in the largest unit, in the language of the page", async () => {
    expect([0, 999, 1_000, 1_234_567, 26_214_400, 3e9, 4e15].map(sizeWords)).to.deep.equal([
      "0 bytes",
      "999 bytes",
      "1 kB",
      "1.2 MB",
      "26.2 MB",
      "3 GB",
      "4,000,000 GB",
    ]);
    setLanguage(await loadLanguage({ code: "de", locale: "de" }));
    expect(sizeWords(1_234_567)).to.equal("1,2 MB");
  });

  it("the kind of a file is the end of its name", () => {
    expect(["a.pdf", "b.tar.gz", "none", "x.too-long", ".env"].map(kindOf)).to.deep.equal([
      "PDF",
      "GZ",
      "",
      "",
      "ENV",
    ]);
  });

  it("a box keeps the shape of its image, within bounds; a file without a thumbnail has none", () => {
    const of = (width?: number, height?: number, isAlone = true): unknown =>
      boxOf({ id: "i" as never, name: "n", type: "image/png", bytes: 1, width, height }, isAlone);
    expect(of(1_200, 900)).to.deep.equal({ width: 360, height: 270 });
    expect(of(900, 1_200)).to.deep.equal({ width: 225, height: 300 });
    expect(of(900, 1_200, false)).to.deep.equal({ width: 120, height: 160 });
    expect(of(100, 80)).to.deep.equal({ width: 100, height: 80 });
    expect(of(10, 5_000)).to.deep.equal({ width: 48, height: 300 });
    expect(of()).to.equal(undefined);
  });
});
