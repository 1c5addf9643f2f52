/**
 * Brokers as a team runs them: `lanyard serve` as real processes, with one database, one bucket and one sealing key,
 * behind one address. Each request goes whole to one of them, as a load balancer does it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type IncomingMessage, type ServerResponse, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROLES, SERVERS, claimsOfJob, robotsDocument } from "./broker.ts";
import { compileCache } from "./compile-cache.ts";
import { startScriptedIssuer } from "./scripted-issuer.ts";
import type { Desk } from "./session-holder.ts";

const COMMAND = join(import.meta.dirname, "..", "..", "bin", "lanyard.js");

interface Replica {
  readonly process: ChildProcess;
  readonly port: number;
  /** Requests that it has and has not answered. */
  open: number;
}

export interface Replicas extends Desk {
  /** All requests go to this one; undefined: to all in turn. */
  pin(index: number | undefined): void;
  /**
   * SIGKILL, in the moment in which it is given a request while it has `open` others: whatever it was doing is undone
   * or done, and nobody is told.
   */
  killWhile(index: number, open: number): Promise<void>;
  close(): Promise<void>;
}

/** `files` stand in place of the policies that brokers of tests have, by their path. */
export async function startReplicas(
  count: number,
  databaseUrl: string,
  files: (issuer: string) => Record<string, string> = () => ({}),
): Promise<Replicas> {
  const directory = await mkdtemp(join(tmpdir(), "lanyard-replicas-"));
  const issuer = await startScriptedIssuer();
  await mkdir(join(directory, "policies", "robots", "acme"), { recursive: true });
  const policies = {
    "servers.yaml": SERVERS,
    "roles.yaml": ROLES,
    "robots/acme/payments.yaml": robotsDocument(issuer.url),
    ...files(issuer.url),
  };
  for (const [path, text] of Object.entries(policies))
    await writeFile(join(directory, "policies", path), text);

  const replicas: Replica[] = [];
  let pinned: number | undefined;
  let turn = 0;
  let doomed: { replica: Replica | undefined; open: number; dead(ended: Promise<void>): void } | undefined;
  const balancer = createServer((incoming, outgoing) => {
    turn += 1;
    const replica = replicas[pinned ?? turn % replicas.length];
    relay({ incoming, outgoing, replica });
    if (replica !== undefined && replica === doomed?.replica && replica.open > doomed.open) {
      replicas.splice(replicas.indexOf(replica), 1);
      doomed.dead(end(replica, "SIGKILL"));
      doomed = undefined;
    }
  });
  balancer.listen(0, "127.0.0.1");
  await once(balancer, "listening");
  const address = balancer.address() as AddressInfo;
  const url = `http://127.0.0.1:${address.port}`;

  // All at once, on an empty database.
  const environment = {
    PATH: process.env["PATH"] ?? "",
    ...compileCache,
    LANYARD_PUBLIC_URL: url,
    LANYARD_LISTEN: "127.0.0.1:0",
    LANYARD_POLICIES: join(directory, "policies"),
    LANYARD_DATABASE: databaseUrl,
    LANYARD_AUDIT: `file:${join(directory, "audit")}`,
    LANYARD_ISSUERS: issuer.url,
    LANYARD_PRIVATE_ISSUERS: issuer.url,
    LANYARD_KEYS: `file:${join(directory, "sealing-key.json")}`,
    LANYARD_ADDRESS_LIMIT: "off",
    LANYARD_REPOSITORY_LIMIT: "off",
  };
  const close = async (): Promise<void> => {
    balancer.close();
    balancer.closeAllConnections();
    await Promise.all(replicas.map(async (replica) => end(replica, "SIGTERM")));
    await issuer.close();
    await rm(directory, { recursive: true, force: true });
  };
  const starts = await Promise.allSettled(
    Array.from({ length: count }, async () => replicas.push(await serve(environment, directory))),
  );
  const failed = starts.find((start) => start.status === "rejected");
  if (failed !== undefined) {
    await close();
    throw failed.reason;
  }

  return {
    url,
    now: Date.now,
    subjectToken: async (overrides = {}) =>
      issuer.sign({ ...claimsOfJob(issuer.url, url, Date.now()), ...overrides }),
    pin: (index) => {
      pinned = index;
    },
    killWhile: async (index, open) =>
      new Promise((dead) => {
        doomed = { replica: replicas[index], open, dead };
      }),
    close,
  };
}

async function serve(environment: Record<string, string>, directory: string): Promise<Replica> {
  const child = spawn(process.execPath, [COMMAND, "serve", "--log-level", "error"], {
    cwd: directory,
    env: environment,
    stdio: ["ignore", "inherit", "pipe"],
  });
  let said = "";
  for await (const chunk of child.stderr) {
    said += String(chunk);
    const port = /listening on 127\.0\.0\.1:([0-9]+)/.exec(said)?.[1];
    if (port !== undefined) return { process: child, port: Number(port), open: 0 };
  }
  throw new Error(`a replica did not start: ${said}`);
}

async function end({ process: child }: Replica, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

interface Relayed {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly replica: Replica | undefined;
}

/** A replica that dies takes the answer with it: the caller's connection ends without one. */
function relay({ incoming, outgoing, replica }: Relayed): void {
  if (replica === undefined) {
    outgoing.destroy();
    return;
  }
  const { method, url, headers } = incoming;
  const { port } = replica;
  replica.open += 1;
  outgoing.once("close", () => {
    replica.open -= 1;
  });
  const forwarded = request({ host: "127.0.0.1", port, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.on("error", () => outgoing.destroy());
    answer.pipe(outgoing);
  });
  forwarded.on("error", () => outgoing.destroy());
  incoming.pipe(forwarded);
}
