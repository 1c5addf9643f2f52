/**
 * One difference between two policies, as a reviewer reads it.
 * `gained`: something can be done that could not. `lost`: the other way round. `changed`: neither, or nobody can call it.
 */

type Effect = "gained" | "lost" | "changed";

type Subject =
  | "tool"
  | "resource"
  | "prompt"
  | "ask"
  | "limits"
  | "flow"
  | "session"
  | "server"
  | "credential"
  | "labels"
  | "lock";

export interface Difference {
  readonly effect: Effect;
  readonly subject: Subject;
  readonly server?: string;
  /** What it is about: `get_issue, list_*`, `max`, `url`. */
  readonly what: string;
  /** Undefined where there was nothing, or is nothing any more. */
  readonly before?: string;
  readonly after?: string;
}

export interface Holder {
  /** `OWNER/REPO/NAME`. */
  readonly robot: string;
  /** Undefined: all its runs. */
  readonly runs?: readonly string[];
}

export interface Change extends Difference {
  /** Whom it concerns; nobody in particular where it is about a server. */
  readonly holders: readonly Holder[];
}

const order = { gained: 0, lost: 1, changed: 2 } as const;
const subjects: readonly Subject[] = [
  "tool",
  "resource",
  "prompt",
  "ask",
  "limits",
  "flow",
  "session",
  "server",
  "credential",
  "labels",
  "lock",
];

/** Gains first; the same changes are always in the same order. */
export function orderChanges(changes: readonly Change[]): Change[] {
  const keyed = changes.map((change) => ({ change, key: JSON.stringify(change) }));
  return keyed
    .toSorted(
      (a, b) =>
        order[a.change.effect] - order[b.change.effect] ||
        subjects.indexOf(a.change.subject) - subjects.indexOf(b.change.subject) ||
        Number(a.key > b.key) - Number(a.key < b.key),
    )
    .map(({ change }) => change);
}

/** A setting of which more is more: a longer session, a later end. */
export function compareNumbers(
  about: Pick<Difference, "subject" | "what">,
  before: { value: number; text: string },
  after: { value: number; text: string },
): Difference[] {
  return before.value === after.value
    ? []
    : [
        {
          effect: after.value > before.value ? "gained" : "lost",
          ...about,
          before: before.text,
          after: after.text,
        },
      ];
}
