/**
 * A real S3 server for tests: a Ceph RADOS gateway, started by the script in the folder that LANYARD_TEST_TOOLS names,
 * or in one beside the clone. Where there is none, tests that need it are skipped and say why; in CI they fail.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { env } from "node:process";
import { promisify } from "node:util";
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import type { AuditStore } from "../../broker/config-values.ts";

const run = promisify(execFile);
const TOOLS = env["LANYARD_TEST_TOOLS"] ?? resolve(import.meta.dirname, "..", "..", "..", "shared", "tools");
const SCRIPT = join(TOOLS, "start-s3.sh");
/** Its first start installs packages. */
export const S3_START_TIMEOUT_MS = 240_000;

/** Undefined: there is one. */
const whyNoS3 = existsSync(SCRIPT)
  ? undefined
  : "no S3 server: set LANYARD_TEST_TOOLS to a folder with start-s3.sh, which starts a Ceph RADOS gateway";

/** For `describe.skipIf`: in CI nothing is skipped. */
export const skipsS3 = whyNoS3 !== undefined && env["CI"] === undefined;

export interface S3Server {
  readonly endpoint: string;
  readonly client: S3Client;
  /** A fresh bucket, as a broker is configured with it. */
  createBucket(options?: {
    prefix?: string;
    versioned?: boolean;
  }): Promise<Extract<AuditStore, { kind: "s3" }>>;
  stop(): Promise<void>;
}

/** Puts its credentials where the AWS SDK of this process looks for them. `sts`: with its STS and roles (S3_STS). */
export async function startS3({ sts = false } = {}): Promise<S3Server> {
  if (whyNoS3 !== undefined) throw new Error(whyNoS3);
  const directory = await mkdtemp(join(tmpdir(), "lanyard-s3-"));
  const { stdout } = await run(SCRIPT, ["start", directory], {
    timeout: S3_START_TIMEOUT_MS,
    env: { ...env, S3_STS: String(sts) },
  });
  const settings = new Map(
    stdout.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  const read = (name: string): string => {
    const value = settings.get(name);
    if (value === undefined) throw new Error(`${SCRIPT} printed no ${name}`);
    return value;
  };
  env["AWS_ACCESS_KEY_ID"] = read("S3_ACCESS_KEY");
  env["AWS_SECRET_ACCESS_KEY"] = read("S3_SECRET_KEY");
  const endpoint = read("S3_ENDPOINT");
  const region = read("S3_REGION");
  const client = new S3Client({ endpoint, region, forcePathStyle: true });
  let buckets = 0;
  return {
    endpoint,
    client,
    createBucket: async ({ prefix = "", versioned = false } = {}) => {
      buckets += 1;
      const bucket = `lanyard-${process.pid}-${buckets}`;
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      if (versioned) {
        const status = { VersioningConfiguration: { Status: "Enabled" as const } };
        await client.send(new PutBucketVersioningCommand({ Bucket: bucket, ...status }));
      }
      return { kind: "s3", bucket, prefix, endpoint, region, pathStyle: true };
    },
    stop: async () => {
      client.destroy();
      await run(SCRIPT, ["stop", directory]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
