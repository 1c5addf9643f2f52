/** One call of a run that nobody started, decided as the proxy would decide it. */
import { explainCall } from "../../../policies/authoring/explanation.ts";
import { openRehearsal, type RehearsedSession, type Verdict } from "../../../policies/authoring/rehearsal.ts";
import { placeRules } from "../../../policies/authoring/rule-places.ts";
import {
  changeRun,
  claimsOfRun,
  EXAMPLE_REPOSITORY,
  EXAMPLE_RUN,
  type RunShape,
  runOfBinding,
} from "../../../policies/authoring/run-fixture.ts";
import { findRobot } from "../../../policies/authoring/test-subject.ts";
import { describeVerdict, nameCall } from "../../../policies/authoring/unit-tests.ts";
import { describeRefusal, matchBinding } from "../../../policies/binding/binding.ts";
import type { Claims } from "../../../policies/claims.ts";
import type { Call } from "../../../policies/decision.ts";
import { suggestNames } from "../../../policies/documents/nearest-name.ts";
import type { Policies } from "../../../policies/policies.ts";
import { showControls } from "../problem-report.ts";
import type { ExitCode, Terminal } from "../terminal.ts";
import { NoAnswer, type OpenedDirectory } from "./answer.ts";
import type { AskedCall } from "./call-options.ts";
import { renderExplanation } from "./explanation-text.ts";

type Io = { readonly terminal: Terminal; readonly json: boolean };

export async function explainAskedCall(
  { directory, files, policies }: OpenedDirectory,
  asked: AskedCall,
  { terminal, json }: Io,
): Promise<ExitCode> {
  const opened = openSession(policies, asked);
  if (!opened.ok) {
    const { refusal } = opened;
    terminal.write(
      json
        ? `${JSON.stringify({ ok: false, directory, refusal })}\n`
        : `DENIED  the run gets no session: no call is made at all\n  ${showControls(refusal)}\n`,
    );
    return 1;
  }
  const { session, run, binding } = opened;
  const rehearsal = await openRehearsal(policies, session);
  const earlier = asked.earlier.flatMap(({ call, times }) =>
    Array.from({ length: times }, () => ({ call, verdict: rehearsal.play(call) })),
  );
  const explanation = await explainCall(policies, rehearsal, asked.call);
  const ok = explanation.verdict.effect === "allow";
  const places = placeRules(files);
  if (json) {
    terminal.write(
      `${JSON.stringify({
        ok,
        directory,
        robot: session.robot,
        binding,
        roles: session.roles,
        mode: session.mode,
        run,
        earlier: earlier.map(({ call, verdict }) => ({ call: nameCall(call), verdict })),
        verdict: explanation.verdict,
        considered: explanation.considered,
        labels: explanation.labels,
        advice: explanation.advice,
        place: "rule" in explanation.verdict ? places.get(explanation.verdict.rule) : undefined,
      })}\n`,
    );
    return ok ? 0 : 1;
  }
  const as = binding === undefined ? "by themselves" : `of ${session.robot}, binding ${binding}`;
  const what = `${run.event} on ${run.ref}, ${run.workflow}`;
  terminal.write(`Roles ${session.roles.join(", ") || "none"} ${as}: ${showControls(what)}\n`);
  terminal.write(renderEarlier(earlier));
  terminal.write(renderExplanation(explanation, { directory, places }));
  return ok ? 0 : 1;
}

function renderEarlier(earlier: readonly { call: Call; verdict: Verdict }[]): string {
  const denied = earlier.filter(({ verdict }) => verdict.effect === "deny");
  const lines = new Set(
    denied.map(
      ({ call, verdict }) =>
        `Note: before it, ${nameCall(call)} is denied and not counted: ${describeVerdict(verdict)}\n`,
    ),
  );
  return [...lines].map((line) => `${showControls(line.trimEnd())}\n`).join("");
}

type OpenedSession =
  | {
      readonly ok: true;
      readonly session: RehearsedSession;
      readonly run: Pick<RunShape, "event" | "ref" | "workflow">;
      readonly binding: number | undefined;
    }
  | { readonly ok: false; readonly refusal: string };

function openSession(policies: Policies, asked: AskedCall): OpenedSession {
  const { robot: name, roles, binding: number } = asked;
  const found = name === undefined ? undefined : findRobot(policies, name);
  if (name !== undefined && found === undefined) {
    throw new NoAnswer(`--robot: more than one robot is called ${name}: write OWNER/REPO/NAME`);
  }
  const bindings = found?.robot.bindings ?? [];
  if (found !== undefined && number > bindings.length) {
    throw new NoAnswer(`--binding: ${name} has ${bindings.length} bindings`);
  }
  const binding = bindings[number - 1];
  const shape = changeRun(binding === undefined ? EXAMPLE_RUN : runOfBinding(binding), asked.run);
  const read = claimsOfRun(shape, found?.repository ?? EXAMPLE_REPOSITORY, asked.claims);
  if (!read.ok) {
    throw new NoAnswer(`the run cannot be: the claim ${read.claim}: ${read.message}`);
  }
  const { claims } = read;
  const run = describeRun(claims, shape);
  if (roles !== undefined) {
    const unknown = roles.find((role) => !policies.roles.has(role));
    if (unknown !== undefined) {
      const known = suggestNames(unknown, policies.roles.keys());
      throw new NoAnswer(`--roles: there is no role ${JSON.stringify(unknown)}: ${known}`);
    }
    const robot = `${claims.repository}/${found?.name ?? "example"}`;
    return { ok: true, session: { robot, roles, mode: "enforce", claims }, run, binding: undefined };
  }
  const match = matchBinding(policies, claims, { robot: found?.name });
  return match.ok
    ? { ok: true, session: { ...match, claims }, run, binding: match.binding }
    : { ok: false, refusal: describeRefusal(match) };
}

function describeRun({ event_name, ref }: Claims, { workflow }: RunShape) {
  return { event: event_name, ref, workflow };
}
