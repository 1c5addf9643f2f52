/** `lanyard session`, as an operator uses it beside a running broker. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { sessionCommand } from "../../../../broker/cli/session/session.ts";
import { type TestBroker, startTestBroker } from "../../../support/broker.ts";
import { Holder, call, exchange } from "../../../support/session-holder.ts";
import { runLanyard } from "../../../support/verification.ts";
import { recordTerminal } from "../recorded-terminal.ts";

let on: TestBroker;
let holder: Holder;
let session: string;
let job: { run_id: string };
let jobs = 9000;

beforeAll(async () => {
  on = await startTestBroker();
});
afterAll(async () => {
  await on.close();
});
beforeEach(async () => {
  vi.stubEnv("LANYARD_DATABASE", databaseUrl());
  ({ holder, session, job } = await open());
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function databaseUrl(): string {
  if (on.config.database.kind !== "sqlite") throw new Error("these tests are about a file");
  return `file:${on.config.database.path}`;
}

async function open(overrides: Record<string, unknown> = {}) {
  jobs += 1;
  const job = { run_id: String(jobs) };
  const holder = await Holder.create();
  const subjectToken = await on.subjectToken({ ...job, ...overrides });
  expect((await exchange(on, holder, { subjectToken })).status).toBe(200);
  return { job, holder, session: String((await call(on, holder, "GET /session")).body.session) };
}

async function run(...args: string[]) {
  const terminal = recordTerminal();
  await sessionCommand(terminal).exitOverride().parseAsync(args, { from: "user" });
  return terminal;
}
const runJson = async (...args: string[]) => {
  const { out, code } = await run(...args, "--json");
  return { code, body: JSON.parse(out) };
};

describe("list", () => {
  test("a table: newest first, one line each", async () => {
    const { session: newer } = await open();
    const { out, code } = await run("list");
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^SESSION +STATE +ROBOT +RUN +STARTED +UNTIL$/);
    expect(lines[1]).toMatch(
      new RegExp(
        `^${newer}  active  +acme/payments/triager  ${jobs}/1  \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\dZ  .*Z$`,
      ),
    );
    expect(lines[2]).toContain(session);
  });

  test("by run, by robot, by repository, by state, and no more than asked for", async () => {
    const { body } = await runJson("list", "--run", job.run_id);
    expect(body).toMatchObject({
      ok: true,
      more: false,
      sessions: [{ session, robot: "acme/payments/triager", state: "active", run_attempt: "1" }],
    });
    for (const [args, count] of [
      [["--robot", "acme/payments/triager"], 1],
      [["--robot", "acme/payments"], 1],
      [["--robot", "acme/payment"], 0],
      [["--robot", "acme/payments/triage"], 0],
      [["--state", "active"], 1],
      [["--state", "revoked"], 0],
      [["--state", "expired"], 0],
    ] as const) {
      const listed = await runJson("list", "--run", job.run_id, ...args);
      expect(listed.body.sessions, args.join(" ")).toHaveLength(count);
    }
    await open();
    expect((await runJson("list", "--limit", "1")).body).toMatchObject({ more: true });
    expect((await run("list", "--limit", "1")).out).toContain("--limit");
  });

  test("nothing to list is said, and is no error", async () => {
    const { out, code } = await run("list", "--run", "1");
    expect([out, code]).toEqual(["There are no such sessions.\n", 0]);
  });

  test("a session that ran out is expired before anybody marked it", async () => {
    const mine = await startTestBroker();
    const past = await Holder.create();
    const subjectToken = await mine.subjectToken();
    await exchange(mine, past, { subjectToken });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 16 * 60_000 });
    try {
      vi.stubEnv("LANYARD_DATABASE", `file:${mine.directory}/broker.sqlite`);
      expect((await runJson("list")).body.sessions).toMatchObject([{ state: "expired" }]);
      expect((await runJson("list", "--state", "expired")).body.sessions).toHaveLength(1);
      expect((await runJson("list", "--state", "active")).body.sessions).toHaveLength(0);
    } finally {
      vi.useRealTimers();
      await mine.close();
    }
  });
});

describe("show", () => {
  test("a sheet: job, robot, key, and no secret", async () => {
    const { out, code } = await run("show", session);
    expect(code).toBe(0);
    for (const part of [
      /^session +ses_/m,
      /^state +active$/m,
      /^robot +acme\/payments\/triager$/m,
      /^roles +reader, writer$/m,
      /^servers +everything, files$/m,
      /^job +check run 5001$/m,
      /^workflow_ref +acme\/payments\/.github\/workflows\/triage.yml@refs\/heads\/main$/m,
      /^page +\/runs\/[0-9a-f]{20}$/m,
    ]) {
      expect(out).toMatch(part);
    }
    expect(out).toContain(holder.thumbprint);
    expect(out).not.toContain(holder.accessToken);
    const json = (await run("show", session, "--json")).out;
    expect(json).not.toContain("salt_key");
    expect(JSON.parse(json)).toMatchObject({ ok: true, session: { job_told_apart: true, segments: 0 } });
  });

  test("an issuer without check_run_id: that the job is not told apart from others", async () => {
    const { session: old } = await open({ check_run_id: undefined });
    expect((await run("show", old)).out).toMatch(/^job +not told apart .* no check_run_id$/m);
    expect((await runJson("show", old)).body.session.job_told_apart).toBe(false);
  });

  test("an attempted takeover stands on it", async () => {
    const subjectToken = await on.subjectToken(job);
    expect((await exchange(on, await Holder.create(), { subjectToken })).status).toBe(400);
    expect((await run("show", session)).out).toMatch(/^finding +\S+Z takeover_attempt: /m);
  });

  test("claims that would steer a terminal are defused", async () => {
    const { session: odd } = await open({ actor: "\u001b[2Jmallory\u202e" });
    const { out } = await run("show", odd);
    expect(out).toContain("mallory");
    expect(out).not.toMatch(/[\u001b\u202e]/);
  });

  test("one that is not there", async () => {
    const { err, code } = await run("show", "ses_nothing");
    expect([err, code]).toEqual(['There is no session "ses_nothing".\n', 1]);
    expect(await runJson("show", "ses_nothing")).toMatchObject({ code: 1, body: { ok: false } });
  });
});

describe("revoke", () => {
  test("ends the session for good, from the next request on, and says what that means", async () => {
    const { out, code } = await run("revoke", session);
    expect(code).toBe(0);
    expect(out).toContain(`${session} of acme/payments/triager is revoked.`);
    expect(out).toContain("no other session");
    expect(out).toContain("incomplete");
    expect(await call(on, holder, "GET /session")).toMatchObject({
      status: 401,
      body: { error: "session_over" },
    });
    await exchange(on, holder, { subjectToken: await on.subjectToken(job) });
    expect(on.lastRefusal().code).toBe("session_ended");
    expect((await runJson("list", "--state", "revoked", "--run", job.run_id)).body.sessions).toHaveLength(1);
  });

  test("twice: good both times, and it stays with who was first", async () => {
    await run("revoke", session, "--by", "alice");
    const again = await run("revoke", session, "--by", "bob");
    expect([again.out, again.code]).toEqual([`${session} was revoked before by alice.\n`, 0]);
    expect((await runJson("revoke", session)).body).toMatchObject({
      ok: true,
      state: "revoked",
      revoked_by: "alice",
    });
  });

  test("who did it is told: who was named, or else the user of this machine", async () => {
    await run("revoke", session, "--by", "alice@acme.dev");
    expect((await run("show", session)).out).toMatch(/^revoked by +alice@acme\.dev$/m);
    expect((await runJson("show", session)).body.session.revoked_by).toBe("alice@acme.dev");
    const { session: other } = await open();
    await run("revoke", other);
    expect((await runJson("show", other)).body.session.revoked_by).toMatch(/^\S+$/);
  });

  test.each(["two words", "", "alice\u001b[2J", "a".repeat(65)])("a name that is none: %j", async (name) => {
    const command = sessionCommand(recordTerminal());
    for (const each of command.commands) each.exitOverride().configureOutput({ writeErr: () => undefined });
    const parsed = command.parseAsync(["revoke", session, "--by", name], { from: "user" });
    await expect(parsed).rejects.toMatchObject({ code: "commander.invalidArgument" });
    expect((await runJson("show", session)).body.session).toMatchObject({ state: "active" });
  });

  test("one that its own key ended names nobody", async () => {
    await call(on, holder, "DELETE /session");
    expect((await runJson("show", session)).body.session).toMatchObject({
      state: "revoked",
      revoked_by: null,
    });
    expect((await run("show", session)).out).not.toContain("revoked by");
  });

  test("one that is not there", async () => {
    expect((await run("revoke", "ses_nothing")).code).toBe(1);
  });
});

test("wrong use is told, and ends with 2", async () => {
  const environment = { LANYARD_DATABASE: databaseUrl() };
  for (const args of [
    ["session", "list", "--state", "lost"],
    ["session", "list", "--limit", "0"],
    ["session", "list", "--robot", "x"],
    ["session", "show"],
  ]) {
    const { exitCode, output } = await runLanyard(args, environment);
    expect([args.join(" "), exitCode]).toEqual([args.join(" "), 2]);
    expect(output).toContain("error:");
  }
  const help = await runLanyard(["session", "--help"], environment);
  expect(help.exitCode).toBe(0);
  for (const name of ["list", "show", "revoke"]) expect(help.output).toContain(name);
});
