import { expect } from "chai";
import { ServedPaths } from "../adapters/served-paths.ts";

function served(): ServedPaths {
  const paths = new ServedPaths();
  paths.add("/", ["GET"]);
  paths.add("/v1/rooms", ["POST"]);
  paths.add("/v1/rooms/:room", ["GET", "HEAD"]);
  paths.add("/v1/rooms/:room", ["PATCH"]);
  paths.add("/v1/rooms/:room/pins", ["GET"]);
  return paths;
}

describe("Served paths", () => {
  it("H6: names the methods of all routes of a path, and OPTIONS", () => {
    const paths = served();
    expect(paths.find("/v1/rooms/a")).to.deep.equal({
      pattern: "/v1/rooms/:room",
      allow: "GET, HEAD, OPTIONS, PATCH",
    });
    expect(paths.find("/v1/rooms?limit=3")?.allow).to.equal("OPTIONS, POST");
    expect(paths.find("/")?.allow).to.equal("GET, OPTIONS");
  });

  it("H6: finds nothing for a path without a route", () => {
    const paths = served();
    for (const path of ["/v1", "/V1/rooms", "/v1/rooms/a/b", "/v1/rooms/a/pins/", "*", ""])
      expect(paths.find(path), path).to.equal(undefined);
  });

  it("served-paths.2: decodes each part, so an encoded slash is no separator", () => {
    const paths = served();
    expect(paths.find("/v1/r%6Foms/a%2Fb")?.pattern).to.equal("/v1/rooms/:room");
    expect(paths.find("/v1/rooms/a%2Fpins")?.pattern).to.equal("/v1/rooms/:room");
  });

  it("served-paths.1: two patterns that match one path are a fault of the routes", () => {
    expect(() => served().add("/v1/rooms/all", ["GET"])).to.throw("/v1/rooms/all");
    expect(() => served().add("/v1/:what/:id", ["GET"])).to.throw("/v1/:what/:id");
  });
});
