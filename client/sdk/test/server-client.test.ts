import { expect } from "chai";
import { idNumber, openHttpFixture } from "../../../services/gateway/test/http-fixture.ts";
import { createServerClient, HttpFailed, serviceClient } from "../server/server-client.ts";

describe("ServerClient", () => {
  it("sends a token, and encodes the exclusive fields of a query", async () => {
    const asked: Request[] = [];
    const server = createServerClient({
      url: "http://gateway.example/",
      token: () => Promise.resolve("t1"),
      fetch: (request) => {
        asked.push(request as Request);
        return Promise.resolve(Response.json({ events: [], more: false }));
      },
    });
    const { data } = await server.GET("/v1/rooms/{room}/messages", {
      params: { path: { room: "general" }, query: { query: { before: 7, limit: 2 } } },
    });
    expect(data?.more).to.equal(false);
    const url = "http://gateway.example/v1/rooms/general/messages?before=7&limit=2";
    expect(asked[0]?.url).to.equal(url);
    expect(asked[0]?.headers.get("authorization")).to.equal("Bearer t1");
  });

  it("server-client.1: a refusal of a real gateway is HttpFailed with the name of the table", async () => {
    await using fixture = await openHttpFixture();
    const server = createServerClient({ url: fixture.url, token: "wrong" });
    const path = { room: "general" };
    const call = server.POST("/v1/rooms/{room}/messages", {
      params: { path },
      body: { id: idNumber(1), body: { text: "hello" } },
    });
    const error = await call.catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(HttpFailed);
    expect(error).to.include({ code: "unauthorized", status: 401, retry: false });
  });

  it("posts a message to a real gateway with a typed call", async () => {
    await using fixture = await openHttpFixture();
    const server = createServerClient({ url: fixture.url, token: () => fixture.token() });
    const { data } = await server.POST("/v1/rooms/{room}/messages", {
      params: { path: { room: "general" } },
      body: { id: idNumber(1), body: { text: "hello" } },
    });
    expect(data).to.include({ id: idNumber(1), seq: 1 });
  });

  it("B1: a service posts as itself, and as a user with the same calls", async () => {
    await using fixture = await openHttpFixture();
    const token = await fixture.token({ user: "billing", svc: true });
    const service = serviceClient({ url: fixture.url, token });
    const path = { room: "general" };
    const post = (client: typeof service | ReturnType<typeof service.as>, n: number) =>
      client.POST("/v1/rooms/{room}/messages", {
        params: { path },
        body: { id: idNumber(n), body: { text: "paid" } },
      });
    await post(service, 1);
    await post(service.as("ada & ben"), 2);
    const query = { query: { after: 0 } };
    const { data } = await service
      .as("ada & ben")
      .GET("/v1/rooms/{room}/messages", { params: { path, query } });
    expect(data?.events.map(({ from }) => from)).to.deep.equal(["billing", "ada & ben"]);
    expect(fixture.roomApi.pages.at(-1)).to.include({ user: "ada & ben", after: 0 });
    const other = serviceClient({ url: fixture.url, token: () => fixture.token() });
    const error = await post(other.as("ben"), 3).catch((reason: unknown) => reason);
    expect(error).to.include({ code: "forbidden", status: 403 });
  });

  it("server-client.1: an answer of a proxy has the nearest name", async () => {
    const fetch = (): Promise<Response> => Promise.resolve(new Response("down", { status: 502 }));
    const server = createServerClient({ url: "http://proxy.example", token: "t", fetch });
    const error = await server.GET("/readyz").catch((reason: unknown) => reason);
    expect(error).to.include({ code: "unavailable", status: 502, retry: true });
  });
});
