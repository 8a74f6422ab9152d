// Manifest: what a browser needs to install the page: a name, a start, a display, icons in their
// sizes. (The service worker, which it needs too, is tested in outbox.e2e.ts.)

import { readFileSync } from "node:fs";
import { expect } from "chai";

const WEB = new URL("..", import.meta.url);
const fileOf = (path: string): Buffer => readFileSync(new URL(path, WEB));

interface Icon {
  readonly src: string;
  readonly sizes: string;
  readonly type: string;
  readonly purpose: string;
}

/** The first chunk of a PNG begins with the width and the height. */
function pngSize(file: Buffer): string {
  expect(file.toString("latin1", 1, 4)).to.equal("PNG");
  return `${file.readUInt32BE(16)}x${file.readUInt32BE(20)}`;
}

describe("the manifest of the page", () => {
  const manifest = JSON.parse(fileOf("public/manifest.webmanifest").toString()) as {
    readonly icons: readonly Icon[];
  };

  it("the page names it, and it has what browsers require for an installation", () => {
    expect(fileOf("index.html").toString()).to.contain(
      'rel="manifest" href="/manifest.webmanifest"',
    );
    expect(manifest).to.include({ name: "Parley", start_url: "/", scope: "/" });
    expect(manifest).to.include({ display: "standalone" });
    const icons = manifest.icons.map(({ sizes, purpose }) => `${sizes} ${purpose}`);
    expect(icons).to.include.members(["192x192 any", "512x512 any", "512x512 maskable"]);
  });

  it("each icon is there, in its size", () => {
    for (const { src, sizes, type } of manifest.icons) {
      const file = fileOf(`public${src}`);
      if (type === "image/png") expect(pngSize(file), src).to.equal(sizes);
      else expect(file.toString(), src).to.contain("<svg");
    }
  });
});
