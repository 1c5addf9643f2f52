/**
 * The binding that `lanyard provision` was asked for, what a person should know of it, and what comes after it.
 */
import { isTrustedTrigger } from "../../../policies/checks/trigger.ts";
import type { Binding } from "../../../policies/documents/robots-document.ts";
import type { Policies } from "../../../policies/policies.ts";

export interface BindingOptions {
  workflow: string;
  event: string[];
  ref?: string;
  baseRef?: string;
  role?: string[];
  observe?: true;
  runner?: Binding["runner"];
  environment?: string;
  acceptUntrusted?: true;
}

/** What to say where an option is missing that no other stands for. */
export const MISSING = {
  ref: "say --ref refs/heads/main, or --base-ref main",
  role: "say which roles it gets: --role reader; or --observe, to find out what it needs",
} as const;

export function bindingOf(options: BindingOptions): Binding | { missing: keyof typeof MISSING } {
  const { workflow, event, ref, baseRef, role = [], observe, runner, environment, acceptUntrusted } = options;
  if (ref === undefined && baseRef === undefined) {
    return { missing: "ref" };
  }
  if (role.length === 0 && observe === undefined) {
    return { missing: "role" };
  }
  return {
    workflow,
    events: event,
    ...(ref === undefined ? {} : { ref }),
    ...(baseRef === undefined ? {} : { pull_request: { base_ref: baseRef } }),
    ...(runner === undefined ? {} : { runner }),
    ...(environment === undefined ? {} : { environment }),
    roles: role,
    ...(observe ? { mode: "observe" as const } : {}),
    ...(acceptUntrusted ? { accept_untrusted: true } : {}),
  };
}

/** To whoever provisioned a robot that is observed first. */
export function describeNext(robot: string): string {
  return (
    "\nNext: let its workflow run, more than once if runs differ. Tools that servers.yaml marks read_only pass and are" +
    "\nrecorded with what they were asked; the rest is refused and recorded. Then make a role of what was recorded:" +
    `\n  lanyard policy suggest LOGS --robot ${robot} --write\n`
  );
}

export function findWarnings({ events, accept_untrusted, mode }: Binding, { servers }: Policies): string[] {
  const tools = [...servers.values()].flatMap((entry) => Object.values(entry.tools ?? {}));
  if (mode === "observe" && !tools.some(({ read_only }) => read_only === true)) {
    return [
      "servers.yaml marks no tool read_only: nothing passes without a role, so there is little to observe",
    ];
  }
  const untrusted = events.filter((event) => !isTrustedTrigger(event));
  if (untrusted.length === 0) {
    return [];
  }
  const reached = accept_untrusted ? "every tool of its roles, as you accept" : "its read-only tools";
  return [
    `outsiders can cause ${untrusted.join(", ")}: what they write reaches the agent, and through it ${reached}`,
  ];
}
