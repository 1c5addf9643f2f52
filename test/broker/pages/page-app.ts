/**
 * The pages over a store of written runs, in an application as the broker builds it, without the rest of the broker.
 */
import Fastify, { type FastifyInstance } from "fastify";
import { OperatorAccounts } from "../../../broker/operators/accounts.ts";
import type { LoginMode } from "../../../broker/page-dependencies.ts";
import { registerPages } from "../../../broker/pages/routes.ts";
import type { Policies } from "../../../policies/policies.ts";
import type { ReviewStore } from "../review/review-store.ts";

export interface PageAppOptions {
  readonly publicUrl?: string;
  readonly login?: LoginMode;
  /** By default there are none. */
  readonly policies?: Policies;
}

const NO_POLICIES: Policies = {
  ...{ servers: new Map(), credentials: new Map(), roles: new Map(), repositories: new Map() },
  lock: undefined,
};

export async function openPageApp(
  store: ReviewStore,
  {
    publicUrl = "http://broker.test",
    login = { kind: "operator_token" },
    policies = NO_POLICIES,
  }: PageAppOptions = {},
): Promise<FastifyInstance> {
  const app = Fastify();
  await registerPages(app, {
    database: store.database,
    bucket: store.bucket,
    policies: () => policies,
    checkpointKeys: async () => store.keys,
    publicUrl,
    cookieSecrets: () => [Buffer.alloc(32, 7)],
    login,
    now: store.now,
  });
  await app.ready();
  return app;
}

/** A new operator's token. */
export async function addOperator(store: ReviewStore, name = "ada"): Promise<string> {
  const addition = await new OperatorAccounts(store.database, store.now).add(name);
  if (!addition.ok) {
    throw new Error(addition.message);
  }
  return addition.token;
}
