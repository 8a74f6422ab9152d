// The number of pods across an upgrade, where an autoscaler owns it.

import { expect } from "chai";
import { SECRETS } from "../secrets.ts";
import { ApiStandIn } from "./api-stand-in.ts";
import { helmOrSkip, objectsOf, ofKind, RELEASE, templateWithServer } from "./chart.ts";

const secrets = Object.fromEntries(
  Object.entries(SECRETS).map(([service, files]) => [`${RELEASE}-${service}`, files]),
);
const SCALING = { autoscaling: { enabled: true } };
const SCALED = { auth: "dev", gateway: SCALING, room: SCALING };

describe("The Helm chart's autoscaled Deployments", function () {
  this.timeout(30 * 60_000);
  let helm = "";
  before(async function () {
    helm = await helmOrSkip(this);
  });

  async function replicasOf(
    values: object,
    deployments: Readonly<Record<string, number>>,
  ): Promise<Record<string, number | undefined>> {
    await using api = await ApiStandIn.open({ secrets, deployments });
    const { ok, output, errors } = await templateWithServer(helm, values, api.url);
    expect(ok, errors).to.equal(true);
    const found = ofKind(objectsOf(output), "Deployment");
    return Object.fromEntries(
      found.map(({ metadata, spec }) => [metadata.name, spec.replicas as number | undefined]),
    );
  }

  it("an upgrade that turns autoscaling on keeps the pods of the cluster", async () => {
    // Without the number Helm removes it from the Deployment, and Kubernetes runs one pod.
    const live = { "parley-gateway": 7, "parley-room": 3 };
    expect(await replicasOf(SCALED, live)).to.include(live);
  });

  it("an installation leaves the number to the autoscaler", async () => {
    const { "parley-gateway": gateways, "parley-room": rooms } = await replicasOf(SCALED, {});
    expect([gateways, rooms]).to.deep.equal([undefined, undefined]);
  });

  it("without autoscaling an upgrade sets the number of the values", async () => {
    const live = { "parley-gateway": 7, "parley-room": 3 };
    const fixed = { auth: "dev", gateway: { replicas: 4 }, room: { replicas: 2 } };
    expect(await replicasOf(fixed, live)).to.include({ "parley-gateway": 4, "parley-room": 2 });
  });
});
