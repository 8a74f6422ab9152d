// Certificates: the authority of a cluster, a certificate for each of its programs, and their
// kubeconfig files. Made once by openssl.
//
// Owns: the names and groups as which the programs authenticate. Does not own: their rights, which
// Kubernetes itself defines for these names.

import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { NODE_ADDRESS } from "./sandbox.ts";

const run = promisify(execFile);

export const NODE = "node1";
export const API_PORT = 6443;
/** The first address of the range of Services: that of the API in pods. */
const API_SERVICE_ADDRESS = "10.96.0.1";
const DAYS = "30";
const API_NAMES = [
  "DNS:localhost",
  ...["kubernetes", "kubernetes.default", "kubernetes.default.svc"].map((name) => `DNS:${name}`),
  "DNS:kubernetes.default.svc.cluster.local",
  ...[NODE_ADDRESS, "127.0.0.1", API_SERVICE_ADDRESS].map((address) => `IP:${address}`),
];

/** The subject of each certificate, and the names of a server. */
const SUBJECTS: Readonly<Record<string, { subject: string; names?: readonly string[] }>> = {
  apiserver: { subject: "/CN=kube-apiserver", names: API_NAMES },
  "kubelet-server": { subject: `/CN=${NODE}`, names: [`IP:${NODE_ADDRESS}`, `DNS:${NODE}`] },
  "front-proxy": { subject: "/CN=front-proxy-client" },
  admin: { subject: "/O=system:masters/CN=admin" },
  "controller-manager": { subject: "/CN=system:kube-controller-manager" },
  scheduler: { subject: "/CN=system:kube-scheduler" },
  kubelet: { subject: `/O=system:nodes/CN=system:node:${NODE}` },
  proxy: { subject: "/CN=system:kube-proxy" },
};

/** Writes NAME.crt, NAME.key and NAME.kubeconfig for each subject, and the keys of tokens. */
export async function makeCertificates(folder: string): Promise<void> {
  mkdirSync(folder);
  const openssl = async (...words: string[]): Promise<void> => {
    await run("openssl", words, { cwd: folder });
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const authority = ["-days", DAYS, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca"];
  await openssl("req", "-x509", ...key, ...authority);
  await openssl("genrsa", "-out", "tokens.key", "2048");
  await openssl("rsa", "-in", "tokens.key", "-pubout", "-out", "tokens.pub");
  for (const [name, { subject, names = [] }] of Object.entries(SUBJECTS)) {
    const alternative = names.length === 0 ? "" : `\nsubjectAltName=${names.join(",")}`;
    writeFileSync(
      join(folder, `${name}.ext`),
      `extendedKeyUsage=serverAuth,clientAuth${alternative}`,
    );
    const request = ["-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", subject];
    await openssl("req", ...key, ...request);
    const signed = ["-in", `${name}.csr`, "-out", `${name}.crt`, "-extfile", `${name}.ext`];
    const signer = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", DAYS];
    await openssl("x509", "-req", ...signed, ...signer);
    writeFileSync(join(folder, `${name}.kubeconfig`), kubeconfig(folder, name));
  }
}

function kubeconfig(folder: string, name: string): string {
  const content = (file: string): string => readFileSync(join(folder, file)).toString("base64");
  const cluster = {
    server: `https://${NODE_ADDRESS}:${API_PORT}`,
    "certificate-authority-data": content("ca.crt"),
  };
  const user = {
    "client-certificate-data": content(`${name}.crt`),
    "client-key-data": content(`${name}.key`),
  };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "cluster", cluster }],
    users: [{ name, user }],
    contexts: [{ name: "context", context: { cluster: "cluster", user: name } }],
    "current-context": "context",
  });
}
