import { expect } from "chai";
import { encodeHomes, homeOfSettings, homesOf, isHomes, partitionsOfHome } from "../homes.ts";
import { decodeTerm } from "../regions.ts";

describe("homes", () => {
  it("T11, homes.1: every partition has one home, whatever the order of the names", () => {
    const [one, two] = [homesOf(["west", "east"], 5), homesOf(["east", "west"], 5)];
    expect(one).to.deep.equal(two);
    const all = one.names.flatMap((name) => partitionsOfHome(one, name));
    expect(all.toSorted((a, b) => a - b)).to.deep.equal([0, 1, 2, 3, 4]);
    expect(partitionsOfHome(one, "east")).to.deep.equal([0, 2, 4]);
    expect(partitionsOfHome(one, "south")).to.deep.equal([]);
    expect(homeOfSettings(one)).to.equal("east");
  });

  it("T11, homes.2: the key of the witness names exactly these homes, and is no term", () => {
    const homes = homesOf(["east", "west"], 4);
    const text = encodeHomes(homes);
    expect(isHomes(text, homes)).to.equal(true);
    expect(isHomes(text, homesOf(["east", "west"], 8))).to.equal(false);
    expect(isHomes(text, homesOf(["east", "south"], 4))).to.equal(false);
    for (const broken of ["", "{}", text.replace("2", "3"), text.replace('"west"', "7")]) {
      expect(isHomes(broken, homes), broken).to.equal(false);
    }
    expect(decodeTerm(text)).to.equal(undefined);
  });
});
