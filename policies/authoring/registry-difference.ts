/**
 * What changes behind the names that grants use: where a server is, what its tools are said to read and write,
 * and which of their definitions were reviewed. It concerns every session that reaches the server.
 */
import type { ReadLabel, WriteLabel } from "../labels.ts";
import type { ServerEntry } from "../documents/servers-document.ts";
import type { Policies } from "../policies.ts";
import type { Difference } from "./change.ts";
import { compareCredentials, presentedBy } from "./credential-difference.ts";
import { compareLocks, lockOf } from "./lock-difference.ts";

/** A name that no tool has: it stands for all that the registry does not name. */
const unnamed = "*";

/** `isReached` says whether anybody could call that tool of that server after the change. */
export function compareRegistry(
  before: Policies,
  after: Policies,
  isReached: (server: string, tool: string | undefined) => boolean,
): Difference[] {
  return [...after.servers].flatMap(([name, entry]) => {
    const earlier = before.servers.get(name);
    if (earlier === undefined || !isReached(name, undefined)) {
      return [];
    }
    const differences = [
      ...compareEntry(earlier, entry),
      ...compareCredentials(presentedBy(before, earlier), presentedBy(after, entry)),
      ...compareLabels(earlier, entry),
      ...compareLocks(lockOf(before, name), lockOf(after, name), (tool) => isReached(name, tool)),
    ];
    return differences.map((each): Difference => ({ ...each, server: name }));
  });
}

function compareEntry(before: ServerEntry, after: ServerEntry): Difference[] {
  const show = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  return (["url", "command", "env", "start", "limits"] as const).flatMap((key): Difference[] => {
    const [was, is] = [before[key], after[key]];
    return JSON.stringify(was) === JSON.stringify(is)
      ? []
      : [
          {
            effect: key === "start" || key === "limits" ? "changed" : "gained",
            subject: "server",
            what: key,
            ...(was !== undefined && { before: show(was) }),
            ...(is !== undefined && { after: show(is) }),
          },
        ];
  });
}

interface Labels {
  readonly reads: ReadonlySet<ReadLabel>;
  readonly writes: ReadonlySet<WriteLabel>;
  readonly readOnly: boolean;
}

function compareLabels(before: ServerEntry, after: ServerEntry): Difference[] {
  const names = new Set([...Object.keys(before.tools ?? {}), ...Object.keys(after.tools ?? {}), unnamed]);
  const rest = compareLabelSets(labelsOf(before, unnamed), labelsOf(after, unnamed));
  return [...names].sort().flatMap((name) => {
    const own = name === unnamed ? rest : compareLabelSets(labelsOf(before, name), labelsOf(after, name));
    // What all others gain or lose alike is said once.
    const said = new Set(name === unnamed ? [] : rest.map((each) => JSON.stringify(each)));
    return own
      .filter((each) => !said.has(JSON.stringify(each)))
      .map(
        (each): Difference => ({
          ...each,
          what: `${name === unnamed ? "all other tools" : name}: ${each.what}`,
        }),
      );
  });
}

function labelsOf({ reads = [], writes = [], tools = {} }: ServerEntry, name: string): Labels {
  const own = Object.hasOwn(tools, name) ? tools[name] : undefined;
  return {
    reads: new Set(own?.reads ?? reads),
    writes: new Set(own?.writes ?? writes),
    readOnly: own?.read_only === true,
  };
}

function compareLabelSets(before: Labels, after: Labels): Difference[] {
  const list = (effect: "gained" | "lost", names: Iterable<string>): Difference[] =>
    [...names].sort().map((what) => ({ effect, subject: "labels", what }));
  const said = ({ reads, writes }: Labels): Set<string> =>
    new Set([
      ...[...reads].map((label) => `reads ${label}`),
      ...[...writes].map((label) => `writes ${label}`),
    ]);
  const [was, is] = [said(before), said(after)];
  return [
    ...list("gained", was.difference(is)).map((each) => ({ ...each, before: "yes", after: "no" })),
    ...list("lost", is.difference(was)).map((each) => ({ ...each, before: "no", after: "yes" })),
    ...(before.readOnly === after.readOnly
      ? []
      : list(after.readOnly ? "gained" : "lost", ["read_only"]).map((each) => ({
          ...each,
          before: before.readOnly ? "yes" : "no",
          after: after.readOnly ? "yes" : "no",
        }))),
  ];
}
