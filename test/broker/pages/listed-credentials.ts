/** Credentials of every state, in documents and in a database, as brokers and operators leave them. */
import { assemblePolicies } from "../../../policies/loading.ts";
import type { Policies } from "../../../policies/policies.ts";
import { noteFailing, noteGood, noteUsed } from "../../../broker/storage/credentials/credential-health.ts";
import { keepSecret } from "../../../broker/storage/credentials/credential-secrets.ts";
import type { MintedCredentialRow } from "../../../broker/storage/credentials/credential-tables.ts";
import { robotsDocument } from "../../support/broker.ts";
import type { ReviewStore } from "../review/review-store.ts";

const SERVERS = `
servers:
  linear: { url: "https://linear.example/mcp", credential: linear }
  pager: { url: "https://pager.example/mcp", credential: pager }
  notion: { url: "https://notion.example/mcp", credential: notion }
  open: { url: "https://open.example/mcp", credential: open }
  bucket: { command: [npx, bucket], credential: bucket, env: {} }
credentials:
  linear: { kind: bearer }
  pager: { kind: headers, owner: robot, headers: { X-Api-Key: "{secret}" } }
  notion: { kind: oauth }
  open: { kind: none }
  bucket: { kind: aws-role, delivery: runner, role_arn: "arn:aws:iam::123456789012:role/robot" }
`;
const ROLES = `
roles:
  reader: { grants: [{ server: linear, tools: [list] }, { server: open, tools: [list] }, { server: bucket, tools: [list] }] }
  writer: { grants: [{ server: pager, tools: [page] }, { server: notion, tools: [write] }] }
`;

export const TRIAGER = "acme/payments/triager";
const DAY_MS = 86_400_000;

export function listedPolicies(): Policies {
  const loaded = assemblePolicies([
    { path: "servers.yaml", text: SERVERS },
    { path: "roles.yaml", text: ROLES },
    { path: "robots/acme/payments.yaml", text: robotsDocument("https://issuer.example") },
  ]);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.policies;
}

/** `text` is what a stranger could have chosen: what issuers say, and what documents of before named. */
export async function storeCredentials(
  { database, now }: ReviewStore,
  { session, text }: { readonly session: string; readonly text: string },
): Promise<void> {
  const secret = {
    ...{ owner: "", sealed: "sealed", digest: "5".repeat(64), created_at: now(), created_by: "ann" },
    ...{ expires_at: null, valid_until: null, last_used_at: null, erased_at: null, erased_by: null },
  };
  await keepSecret(database, { ...secret, name: "notion", version: 3, kind: "oauth" });
  await keepSecret(database, {
    ...{ ...secret, name: "linear", version: 2, kind: "bearer", expires_at: now() + 3 * DAY_MS },
    last_used_at: now(),
  });
  await keepSecret(database, { ...secret, name: text.slice(0, 60), version: 1, kind: "bearer" });
  const notion = { credential: "notion", owner: "" };
  await noteGood(database, notion, now() - DAY_MS);
  await noteFailing(database, notion, { code: "refused", sentence: text, at: now() });
  await noteUsed(database, { credential: "open", owner: "" }, now());
  const minted: MintedCredentialRow = {
    ...{ id: "1", credential: "notion", owner: "", session: "", server: "https://notion.example/mcp" },
    ...{ basis: "", secret_version: 2, digest: "", sealed: null, sealed_ticket: "sealed", state: "ending" },
    ...{ created_at: now(), expires_at: now() + 30 * DAY_MS, ended_at: null, attempts: 4 },
    ...{ next_attempt_at: now() + 60_000, failure: text },
  };
  const keys: MintedCredentialRow = {
    ...{ ...minted, credential: "bucket", session, server: "", digest: "a".repeat(64), secret_version: null },
    ...{ sealed_ticket: null, state: "lapsing", expires_at: now() + 3_600_000, attempts: 0 },
    ...{ next_attempt_at: null, failure: null },
  };
  const over = { ...keys, id: "over", expires_at: now() - 1 };
  const many = Array.from({ length: 12 }, (_, index) => ({ ...keys, id: `keys-${index}` }));
  const rows = [minted, over, ...many];
  await database.insertInto("minted_credentials").values(rows).execute();
}
