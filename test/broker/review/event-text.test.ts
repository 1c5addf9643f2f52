import { describe, expect, test } from "vitest";
import { titleEvent } from "../../../audit/event-titles.ts";
import { describeEvent } from "../../../broker/review/event-text.ts";
import type { EventName } from "../../../proxy/recording.ts";

describe("what became of a server's process", () => {
  test.each([
    [{ code: "exited", detail: "exit code 7" }, "files ended (exit code 7)."],
    [{ code: "closed", detail: "stdout" }, "files ended (stdout)."],
    [
      { code: "out_of_memory", detail: "more than 1000 bytes" },
      "files took more than 1000 bytes of memory and was stopped.",
    ],
    [
      { code: "unresponsive", detail: "no answer to a ping within 5 ms" },
      "files did not answer any more (no answer to a ping within 5 ms) and was stopped.",
    ],
  ])("%j is said in a sentence", (ended, sentence) => {
    expect(describeEvent("server_exited", { server: "files", ...ended })).toBe(
      `${sentence} What it was asked was answered with an error.`,
    );
  });

  test("the last it said is quoted", () => {
    const detail = { server: "files", code: "exited", detail: "SIGKILL", stderr: "no space\nleft" };
    expect(describeEvent("server_exited", detail)).toMatch(/ The last it said: no space\nleft$/);
    expect(describeEvent("server_start_failed", detail)).toBe(
      "The command of files could not be started (SIGKILL). The last it said: no space\nleft",
    );
  });

  test("that there are no more is said with why", () => {
    expect(describeEvent("server_down", { server: "files", detail: "restarted 5 times in 10 minutes" })).toBe(
      "files ended too often (restarted 5 times in 10 minutes) and was not started again: every call after that was answered with an error.",
    );
  });
});

test("a limit of a server is named, with how often it was reached", () => {
  const detail = { server: "files", limit: "calls_per_minute", count: 10 };
  expect(describeEvent("limit_reached", detail)).toBe(
    "files: calls per minute was at its limit, 10 times by then. What was over it was refused or stopped.",
  );
  expect(describeEvent("limit_reached", { ...detail, count: 1 })).toContain(", once by then.");
});

test("an event without the members of its kind is left as it is", () => {
  expect(describeEvent("server_exited", { server: 1 })).toBeUndefined();
  expect(describeEvent("limit_reached", { limit: 1 })).toBeUndefined();
  expect(describeEvent("unheard_of", {})).toBeUndefined();
});

test.each([
  [
    "secret_redacted",
    { server: "files", kinds: ["github_token", "key"] },
    "What files sent beside its results held what is or looks like a secret (github token, key): it was replaced before anybody got it.",
  ],
  [
    "text_cleaned",
    { server: "files", removed: { zero_width: 3 }, count: 1 },
    "What files sent beside its results held zero width: 3. The agent got it without them.",
  ],
  [
    "text_cleaned",
    { server: "files", tool: null, in: "instructions", removed: { zero_width: 3 } },
    "What files says of itself held zero width: 3. The agent got it without them.",
  ],
  [
    "text_cleaned",
    { server: "files", tool: "read", removed: { zero_width: 3 } },
    "The definition of read on files held zero width: 3. The agent got it without them.",
  ],
  [
    "server_request_refused",
    { server: "files", method: "sampling/createMessage", reason: "no_grant", count: 10 },
    "files asked the agent: sampling, and was refused (no grant), 10 times by then: the agent heard nothing of it.",
  ],
  [
    "server_request_refused",
    { server: "files", method: "other", reason: "no_grant", count: 1 },
    "files asked the agent for something else (other), and was refused (no grant), once by then: the agent heard nothing of it.",
  ],
  [
    "limit_reached",
    { limit: "max_streams", count: 1 },
    "The proxy: max streams was at its limit, once by then. What was over it was refused or stopped.",
  ],
  [
    "self_test",
    {
      checks: [
        { check: "wrong_host", verdict: "passed" },
        { check: "ungranted_absent", server: "files", verdict: "failed" },
        { check: "no_token", verdict: "failed" },
      ],
    },
    "Before any agent knew of it the proxy was asked for what it must not give, and failed: ungranted absent (files), no token. It did not start.",
  ],
  [
    "upstream_lost",
    { server: "files", code: "timeout", detail: "5 s" },
    "files could not be reached (timeout: 5 s). What it was asked was answered with an error.",
  ],
  [
    "upstream_lost",
    { server: "notes", code: "not_authorized", detail: "The credential notes is not set." },
    "Calls to notes were answered with an error, since it got no credential that it takes: The credential notes is not set.",
  ],
])("%s is said in a sentence", (event, detail, sentence) => {
  expect(describeEvent(event, detail)).toBe(sentence);
});

/** The type keeps this list whole: one that is missing does not compile. */
const EVENTS: Readonly<Record<EventName, true>> = {
  client_attached: true,
  upstream_lost: true,
  server_start_failed: true,
  server_exited: true,
  server_restarted: true,
  server_down: true,
  server_output_dropped: true,
  server_message_dropped: true,
  server_request_refused: true,
  agent_answer_dropped: true,
  message_refused: true,
  request_refused: true,
  limit_reached: true,
  tool_drifted: true,
  tool_unreviewed: true,
  instructions_drifted: true,
  text_cleaned: true,
  secret_redacted: true,
  credential_renewed: true,
  injection_marker: true,
  tool_shadowed: true,
  internal_error: true,
};

test.each(Object.keys(EVENTS))("%s has a title of its own", (event) => {
  const words = event.replaceAll("_", " ");
  expect(titleEvent(event).toLowerCase()).not.toBe(words);
});

test("a kind that is not known is titled in its own words", () => {
  expect(titleEvent("unheard_of")).toBe("Unheard of");
});
