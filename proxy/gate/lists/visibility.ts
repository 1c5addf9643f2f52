/**
 * Which things of one server the agents see, and why: what the policy shows at this moment of the session and, of the
 * tools of a locked server, only those whose definition is the one that was reviewed.
 */
import type { CompiledPolicy, Usage } from "../../../policies/decision.ts";
import type { ServerFacts } from "../../../policies/session-policy.ts";
import type { Kind } from "../named-things.ts";

export type LockVerdict = "reviewed" | "drifted" | "unreviewed";

export interface Showing {
  readonly visible: boolean;
  /** The rule that shows it or `observed`; `no_grant`, `flow`, `drifted` or `unreviewed`. */
  readonly why: string;
}

export interface VisibilityOptions {
  readonly server: string;
  readonly policy: CompiledPolicy;
  readonly usage: Usage;
}

export interface Listed {
  readonly kind: Kind;
  readonly name: string;
  readonly digest: string;
}

const NOTHING_READ: Usage["labels"] = new Set();

export class Visibility {
  readonly #options: VisibilityOptions;
  #lock: ServerFacts["lock"];
  #tools: ReadonlyMap<string, string> | undefined;

  constructor(options: VisibilityOptions) {
    this.#options = options;
  }

  /** That of the policy at this moment: it can be replaced while the session runs. */
  get #locked(): ReadonlyMap<string, string> | undefined {
    const { policy, server } = this.#options;
    const lock = policy.lockOf(server);
    if (lock !== this.#lock) {
      this.#lock = lock;
      this.#tools = lock === undefined ? undefined : new Map(Object.entries(lock.tools));
    }
    return this.#tools;
  }

  /** Of the instructions that were reviewed; undefined where there is no lock or it holds none. */
  get lockedInstructions(): string | undefined {
    const { policy, server } = this.#options;
    return policy.lockOf(server)?.instructions;
  }

  get isLocked(): boolean {
    return this.#locked !== undefined;
  }

  lockedDigestOf(tool: string): string | undefined {
    return this.#locked?.get(tool);
  }

  judgeDefinition(tool: string, digest: string): LockVerdict {
    const tools = this.#locked;
    if (tools === undefined) {
      return "reviewed";
    }
    const locked = tools.get(tool);
    return locked === digest ? "reviewed" : locked === undefined ? "unreviewed" : "drifted";
  }

  show({ kind, name, digest }: Listed, labels = this.#options.usage.labels): Showing {
    const shown = this.#ask(kind, name, labels);
    const verdict = shown.visible && kind === "tool" ? this.judgeDefinition(name, digest) : "reviewed";
    return verdict === "reviewed" ? shown : { visible: false, why: verdict };
  }

  /** What no list has to show first. */
  shows(kind: Kind, name: string): boolean {
    return this.#ask(kind, name, this.#options.usage.labels).visible;
  }

  /** Whether any rule names it, whatever the session has read: what nobody could see needs no report. */
  concernsAgents(tool: string): boolean {
    return this.#ask("tool", tool, NOTHING_READ).visible;
  }

  #ask(kind: Kind, name: string, labels: Usage["labels"]): Showing {
    const { policy, server } = this.#options;
    return policy.show({ server, kind, name }, labels);
  }
}
