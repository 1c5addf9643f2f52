/**
 * What changes in what a server is shown: another credential, another owner, wider or narrower rights, another place
 * where it is used. Where it cannot be told which of two is wider, the new one counts as a gain.
 */
import { deliveryOf, ownershipOf } from "../delivery.ts";
import type { CredentialEntry } from "../documents/credential-entry.ts";
import type { ServerEntry } from "../documents/servers-document.ts";
import type { Policies } from "../policies.ts";
import { compareNumbers, type Difference } from "./change.ts";

export interface Presented {
  readonly name: string;
  readonly entry: CredentialEntry;
}

/** Undefined where the server asks for no credential. */
export function presentedBy({ credentials }: Policies, { credential }: ServerEntry): Presented | undefined {
  const entry = credential === undefined ? undefined : credentials.get(credential);
  return credential === undefined || entry === undefined ? undefined : { name: credential, entry };
}

/** `github-robot: github-app, shared, used at the broker`. */
export function describePresented({ name, entry }: Presented): string {
  const { kind } = entry;
  const whose = kind === "none" ? "" : ownershipOf(entry) === "robot" ? ", each robot's own" : ", shared";
  const where = deliveryOf(entry) === "broker" ? "used at the broker" : "sent to the runner";
  return `${name} (${kind}${whose}, ${where})`;
}

export function compareCredentials(
  before: Presented | undefined,
  after: Presented | undefined,
): Difference[] {
  const about = { subject: "credential", what: "credential" } as const;
  if (before === undefined || after === undefined) {
    return before === after
      ? []
      : [
          {
            effect: after === undefined ? "lost" : "gained",
            ...about,
            ...(before !== undefined && { before: describePresented(before) }),
            ...(after !== undefined && { after: describePresented(after) }),
          },
        ];
  }
  if (before.name !== after.name || before.entry.kind !== after.entry.kind) {
    const [was, is] = [describePresented(before), describePresented(after)];
    return [{ effect: "gained", ...about, before: was, after: is }, ...compareDelivery(before, after)];
  }
  return [...compareDelivery(before, after), ...compareEntries(before.entry, after.entry)];
}

/** In a runner, the agent may reach it. */
function compareDelivery({ entry: before }: Presented, { entry: after }: Presented): Difference[] {
  const reach = (entry: CredentialEntry) => ({
    value: Number(deliveryOf(entry) === "runner"),
    text: deliveryOf(entry),
  });
  return compareNumbers({ subject: "credential", what: "delivery" }, reach(before), reach(after));
}

/** How much each says: rights by their name, and a number that is larger where more is allowed. */
const RANKS = new Map([
  ["read", 1],
  ["write", 2],
  ["admin", 3],
]);

function compareEntries(before: CredentialEntry, after: CredentialEntry): Difference[] {
  const [was, is] = [rightsOf(before), rightsOf(after)];
  const rights = [...new Set([...was.keys(), ...is.keys()])]
    .sort()
    .flatMap((what) =>
      compareNumbers(
        { subject: "credential", what },
        was.get(what) ?? { value: 0, text: "none" },
        is.get(what) ?? { value: 0, text: "none" },
      ),
    );
  return [...rights, ...compareRest(before, after)];
}

function rightsOf(entry: CredentialEntry): Map<string, { value: number; text: string }> {
  const { permissions, repositories, scopes } = {
    permissions: "permissions" in entry ? entry.permissions : {},
    repositories: "repositories" in entry ? entry.repositories : undefined,
    scopes: "scopes" in entry ? entry.scopes : undefined,
  };
  const granted = { value: 1, text: "granted" };
  return new Map([
    ...Object.entries(permissions).map(
      ([name, access]) => [`permission ${name}`, { value: RANKS.get(access) ?? 0, text: access }] as const,
    ),
    ...(repositories ?? []).map((name) => [`repository ${name}`, granted] as const),
    ...(scopes ?? []).map((name) => [`scope ${name}`, granted] as const),
  ]);
}

const COMPARED_ABOVE = ["kind", "delivery", "permissions"];

function compareRest(before: CredentialEntry, after: CredentialEntry): Difference[] {
  const [was, is] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((key): Difference[] => {
    const [from, to] = [was.get(key), is.get(key)].map((value) => JSON.stringify(value));
    // Of a list that was there and is there, each name was compared; without one, the issuer decides.
    const isListed = Array.isArray(was.get(key)) && Array.isArray(is.get(key));
    return from === to || isListed || COMPARED_ABOVE.includes(key)
      ? []
      : [
          {
            effect: "gained",
            subject: "credential",
            what: key,
            ...(from !== undefined && { before: from }),
            ...(to !== undefined && { after: to }),
          },
        ];
  });
}
