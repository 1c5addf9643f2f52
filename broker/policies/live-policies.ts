/**
 * The policies in force: those of the last state of the directory that loaded whole.
 * A directory that does not load changes nothing but `broken`; one that is gone is such a directory, too.
 */
import type { Problem } from "../../policies/documents/problem.ts";
import { assemblePolicies, type LoadedPolicies } from "../../policies/loading.ts";
import type { Policies } from "../../policies/policies.ts";
import { assembleApart } from "./assembly.ts";
import { awaitSettled, readDirectory } from "./directory-state.ts";

/** One consistent set: whoever decides more than one thing with it reads it once. */
export interface PolicySnapshot {
  readonly policies: Policies;
  /** Of the files it was made of. */
  readonly digest: string;
  /** Milliseconds since the epoch. */
  readonly loadedAt: number;
}

/** What the directory holds now, where that is not in force. */
export interface BrokenEdit {
  readonly problems: readonly Problem[];
  /** Milliseconds since the epoch. */
  readonly since: number;
}

export interface PoliciesInForce {
  readonly current: PolicySnapshot;
  readonly broken: BrokenEdit | undefined;
}

export type Reload =
  | { readonly outcome: "unchanged" }
  | { readonly outcome: "loaded"; readonly snapshot: PolicySnapshot; readonly warnings: readonly Problem[] }
  | { readonly outcome: "broken"; readonly broken: BrokenEdit };

export type OpenedPolicies =
  | { readonly ok: true; readonly live: LivePolicies; readonly warnings: readonly Problem[] }
  | Extract<LoadedPolicies, { ok: false }>;

/** For a start: without the first whole directory there is nothing to keep. */
export async function openPolicies(directory: string, now: () => number): Promise<OpenedPolicies> {
  const { files, problems, digest, fingerprint } = await readDirectory(directory);
  const loaded = assemblePolicies(files, problems);
  if (!loaded.ok) return loaded;
  const current = { policies: loaded.policies, digest, loadedAt: now() };
  return {
    ok: true,
    live: new LivePolicies({ directory, now }, { current, fingerprint }),
    warnings: loaded.warnings,
  };
}

export class LivePolicies implements PoliciesInForce {
  readonly #source: { readonly directory: string; readonly now: () => number };
  #current: PolicySnapshot;
  #broken: BrokenEdit | undefined;
  /** Of the state that was tried last, whatever came of it. */
  #tried: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    source: { readonly directory: string; readonly now: () => number },
    { current, fingerprint }: { readonly current: PolicySnapshot; readonly fingerprint: string },
  ) {
    this.#source = source;
    this.#current = current;
    this.#tried = fingerprint;
  }

  get current(): PolicySnapshot {
    return this.#current;
  }

  get broken(): BrokenEdit | undefined {
    return this.#broken;
  }

  get directory(): string {
    return this.#source.directory;
  }

  /** Reads the directory as it is from now on; one reload at a time. Throws when `signal` aborts. */
  async reload(signal: AbortSignal): Promise<Reload> {
    const reload = this.#last.then(async () => this.#reload(signal));
    this.#last = reload.catch(() => undefined);
    return reload;
  }

  async #reload(signal: AbortSignal): Promise<Reload> {
    const { directory, now } = this.#source;
    const first = await readDirectory(directory);
    if (first.fingerprint === this.#tried) return { outcome: "unchanged" };
    const state = await awaitSettled(directory, first, signal);
    if (state.fingerprint === this.#tried) return { outcome: "unchanged" };
    const loaded = await assembleApart(state, { signal });
    // What could not be checked to its end is tried again at the next look.
    this.#tried = "unfinished" in loaded ? "" : state.fingerprint;
    if (!loaded.ok) {
      this.#broken = { problems: loaded.problems, since: this.#broken?.since ?? now() };
      return { outcome: "broken", broken: this.#broken };
    }
    this.#broken = undefined;
    this.#current = { policies: loaded.policies, digest: state.digest, loadedAt: now() };
    return { outcome: "loaded", snapshot: this.#current, warnings: loaded.warnings };
  }
}
