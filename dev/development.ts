/**
 * Everything a run needs, on one machine: the broker, a stand-in for GitHub's issuer, a sample MCP server.
 * What must outlive a restart lies in one folder; starting again finds it and adds to it.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startBroker, type RunningBroker } from "../broker/server.ts";
import { startDevIssuer, type DevIssuer } from "./issuer.ts";
import { writeSamplePolicies } from "./sample-policies.ts";
import { startSampleServer } from "./sample-server.ts";

export interface DevelopmentOptions {
  /** The folder that holds all state. */
  readonly state: string;
  /** The broker's port; the issuer and the sample server take the two above it. */
  readonly port: number;
  /** One line for each part that is up. */
  readonly tell: (part: string, detail: string) => void;
}

export interface Development {
  readonly broker: RunningBroker;
  readonly issuer: DevIssuer;
  readonly state: string;
  /** In the order opposite to the start. */
  close(): Promise<void>;
}

export async function startDevelopment({ state, port, tell }: DevelopmentOptions): Promise<Development> {
  const open: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const part of open.splice(0).reverse()) await part.close();
  };
  try {
    await mkdir(state, { recursive: true, mode: 0o700 });
    const issuer = await startDevIssuer({ port: port + 1, keyFile: join(state, "issuer-key.json") });
    open.push(issuer);
    tell("GitHub's stand-in", issuer.url);

    const server = await startSampleServer(port + 2);
    open.push(server);
    tell("an MCP server", `${server.url}  (server-everything)`);

    const policies = join(state, "policies");
    await writeSamplePolicies({ directory: policies, issuer: issuer.url, serverUrl: server.url });
    const broker = await startBroker({
      config: {
        publicUrl: undefined,
        listen: { host: "127.0.0.1", port },
        policies,
        database: { kind: "sqlite", path: join(state, "broker.sqlite") },
        audit: { kind: "folder", path: join(state, "audit") },
        issuers: [issuer.url],
        keys: join(state, "sealing-key.json"),
      },
      login: "one_time_link",
    });
    open.push(broker);
    tell("the broker", `${broker.url}  (SQLite, a folder as the bucket, policies in ${policies})`);
    return { broker, issuer, state, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}
