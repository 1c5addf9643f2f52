/**
 * Opens everything a broker stands on and proves that it works. What is independent is tried even when something else
 * failed, so that whoever starts a broker sees all problems at once.
 */
import type { Problem } from "../policies/documents/problem.ts";
import type { BrokerConfig } from "./config.ts";
import type { KeysConfig } from "./config-values.ts";
import { watchBucket } from "./custody/bucket-watch.ts";
import { BucketUnusable } from "./custody/bucket.ts";
import { openBucket } from "./custody/open-bucket.ts";
import type { Resolve } from "./egress/address-guard.ts";
import type { StaleKeys } from "./identity/issuer-keys.ts";
import { createCallerMemory } from "./identity/caller-memory.ts";
import { createRecentProofs } from "./identity/recent-proofs.ts";
import { createSubjectTokens } from "./identity/subject-token.ts";
import { loadKeySource } from "./keys/configured-keys.ts";
import { type SealingKey, SealingKeyUnusable, loadSealingKey, openSealingKey } from "./keys/sealing-key.ts";
import { loadSigningKeys } from "./keys/signing-keys.ts";
import { limitRepositories } from "./operations/repository-limit.ts";
import { DEFAULT_LIMITS, type Limits } from "./operations/limits.ts";
import { type Metrics, createMetrics } from "./operations/metrics.ts";
import { type LivePolicies, openPolicies } from "./policies/live-policies.ts";
import { createAssertions } from "./credentials/minting/assertion.ts";
import type { TellCredential } from "./credentials/credential-event.ts";
import { type CredentialRoom, openCredentialRoom } from "./credentials/credential-room.ts";
import type { Credentials } from "./credentials/presenting.ts";
import { openEgress } from "./egress/egress.ts";
import { isOwnNetwork } from "./egress/own-network.ts";
import type { Services } from "./services.ts";
import type { UploadTarget } from "./routes/upload-route.ts";
import { DatabaseUnusable, openDatabase } from "./storage/database.ts";
import type { Queries } from "./storage/schema.ts";
import { openLedger } from "./storage/ledger/ledger.ts";

export class StartFailed extends Error {
  readonly code = "start_failed";
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join("\n"), options);
    this.problems = problems;
  }
}

export interface OpenedServices {
  readonly services: Services;
  readonly sealingKey: SealingKey;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly credentialRoom: CredentialRoom;
  /** Those of the services, with what brings them up to date. */
  readonly policies: LivePolicies;
  /** About the policy documents. */
  readonly warnings: readonly Problem[];
  readonly uploads: Omit<UploadTarget, "now"> | undefined;
  close(): Promise<void>;
}

export interface StartOptions {
  readonly config: BrokerConfig;
  readonly publicUrl: string;
  /** Finds the addresses of issuers; absent: the system's resolver. */
  readonly resolve?: Resolve | undefined;
  /** What is presented to servers; for tests. */
  readonly credentials?: Credentials | undefined;
  /** Told what becomes of credentials. */
  readonly onCredential?: TellCredential | undefined;
  /** Told of what could not be noted about them. */
  readonly onCredentialError?: ((error: unknown) => void) | undefined;
  /** Told when an issuer's keys are old and could not be fetched again. */
  readonly onStaleKeys?: (issuer: string, stale: StaleKeys) => void;
  readonly now: () => number;
}

export async function openServices({
  config,
  publicUrl,
  resolve,
  credentials,
  onCredential = () => undefined,
  onCredentialError = () => undefined,
  onStaleKeys,
  now,
}: StartOptions): Promise<OpenedServices> {
  const problems: string[] = [];
  const open: (() => unknown)[] = [];
  const attempt = async <T>(variable: string, action: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await action();
    } catch (error) {
      if (!isExpected(error)) throw error;
      problems.push(`${variable}: ${error.message}`);
      return undefined;
    }
  };
  const close = async (): Promise<void> => {
    for (const part of open.splice(0).reverse()) await part();
  };

  try {
    const loaded = await openPolicies(config.policies, now);
    if (!loaded.ok) {
      problems.push(
        ...loaded.problems.map(
          ({ file, line, column, key, message }) =>
            `LANYARD_POLICIES: ${config.policies}/${file}:${line}:${column}: ${key === "" ? "" : `${key}: `}${message}`,
        ),
      );
    }
    const database = await attempt("LANYARD_DATABASE", () => openDatabase(config.database));
    if (database !== undefined) open.push(() => database.destroy());
    const sealingKey = await attempt("LANYARD_KEYS", async () => openKeys(config.keys, { database, now }));
    const uploadSecrets = (): readonly Uint8Array[] =>
      sealingKey?.kids.map((kid) => sealingKey.derive("uploads", kid)) ?? [];
    const store = await attempt("LANYARD_AUDIT", async () => {
      const opened = await openBucket(config.audit, { publicUrl, uploadSecrets, now });
      open.push(() => opened.close());
      await opened.bucket.probe();
      return opened;
    });
    const signingKeys =
      sealingKey &&
      database &&
      (await attempt("LANYARD_KEYS", () => loadSigningKeys({ database, sealingKey, now })));
    if (
      !loaded.ok ||
      sealingKey === undefined ||
      database === undefined ||
      store === undefined ||
      signingKeys === undefined
    ) {
      throw new StartFailed(problems);
    }
    const { bucket, folder } = store;
    const limits = { ...DEFAULT_LIMITS, ...config.limits };
    const metrics = createMetrics(config.issuers);
    const egress = openEgress({
      isOwnNetwork: (url) =>
        isOwnNetwork(url, {
          policies: loaded.live.current.policies,
          privateIssuers: config.privateIssuers ?? [],
        }),
      resolve,
    });
    const credentialRoom = openCredentialRoom({
      ...{ database, sealingKey, policies: loaded.live, publicUrl, now },
      ask: egress.askIssuer,
      signAssertion: createAssertions({ signingKeys, publicUrl, now }),
      tell: onCredential,
      onError: onCredentialError,
    });
    return {
      sealingKey,
      limits,
      metrics,
      credentialRoom,
      policies: loaded.live,
      warnings: loaded.warnings,
      uploads: folder && { folder, secrets: uploadSecrets },
      services: {
        publicUrl,
        database,
        ledger: openLedger(database),
        bucket,
        bucketWatch: watchBucket(bucket, now),
        policies: loaded.live,
        subjectTokens: limitRepositories(
          createSubjectTokens({
            issuers: config.issuers,
            privateIssuers: config.privateIssuers ?? [],
            audience: publicUrl,
            resolve,
            onKeysFetched: metrics.countKeyFetch,
            onStaleKeys,
            now,
          }),
          { perMinute: limits.repositoryPerMinute, now },
        ),
        callerMemory: createCallerMemory(() => signingKeys.tokenKeys),
        recentProofs: createRecentProofs(now),
        sealingKey,
        signingKeys,
        egress,
        credentials: credentials ?? credentialRoom.credentials,
        onPolicyRevocation: () => metrics.countSessions("revoked", 1),
        now,
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A file is tried also where there is no database; undefined: nothing could be tried. */
async function openKeys(
  keys: KeysConfig,
  { database, now }: { readonly database: Queries | undefined; readonly now: () => number },
): Promise<SealingKey | undefined> {
  if (database !== undefined) return openSealingKey(await loadKeySource(keys, { database, now }), now);
  return typeof keys === "string" ? loadSealingKey(keys, now) : undefined;
}

/** What an operator can mend; anything else is a bug and keeps its stack. */
function isExpected(error: unknown): error is SealingKeyUnusable | DatabaseUnusable | BucketUnusable {
  return (
    error instanceof SealingKeyUnusable ||
    error instanceof DatabaseUnusable ||
    error instanceof BucketUnusable
  );
}
