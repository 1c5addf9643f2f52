/** What a server wants to see beside the messages: made for each request, replaced once, and never sent too late. */
import { expect, test } from "vitest";
import { type Authority, NotAuthorized, sendAuthorized } from "../../../proxy/upstream/authority.ts";
import type { Loss, Sink } from "../../../proxy/upstream/upstream.ts";

const REQUEST = { method: "POST", agent: "agent", calls: ["one"] } as const;
const REFUSED: Loss = { code: "credentials_refused", detail: "HTTP 401" };

function rig(authority: Partial<Authority>, outcomes: (Loss | undefined)[]) {
  const sent: unknown[] = [];
  const heard: string[] = [];
  const over = Promise.withResolvers<void>();
  const sink: Sink = {
    opened: () => undefined,
    message: () => undefined,
    filler: () => undefined,
    status: () => undefined,
    ended: () => {
      heard.push("ended");
      over.resolve();
    },
    failed: ({ code, detail }) => {
      heard.push(`${code}: ${detail}`);
      over.resolve();
    },
  };
  let made = 0;
  const sending = sendAuthorized(
    { authorize: async () => ({ proof: String(++made) }), replace: async () => true, ...authority },
    REQUEST,
    {
      sink,
      send: (fields, to) => {
        sent.push(fields);
        const outcome = outcomes.shift();
        if (outcome === undefined) to.ended();
        else to.failed(outcome);
        return { leave: () => undefined };
      },
    },
  );
  return { sent, heard, over: over.promise, sending };
}

test("a request carries what was made for it", async () => {
  const { sent, heard, over } = rig({}, [undefined]);
  await over;
  expect(sent).toEqual([{ proof: "1" }]);
  expect(heard).toEqual(["ended"]);
});

test("what went stale on the way is replaced once, with a proof of its own", async () => {
  const { sent, heard, over } = rig({}, [REFUSED, undefined]);
  await over;
  expect(sent).toEqual([{ proof: "1" }, { proof: "2" }]);
  expect(heard).toEqual(["ended"]);
});

test("a server that refuses it again has said so, and is not asked a third time", async () => {
  const { sent, heard, over } = rig({}, [REFUSED, REFUSED]);
  await over;
  expect(sent).toHaveLength(2);
  expect(heard).toEqual(["credentials_refused: HTTP 401"]);
});

test("where nothing better is to be had the refusal stands", async () => {
  const { sent, heard, over } = rig({ replace: async () => false }, [REFUSED]);
  await over;
  expect(sent).toHaveLength(1);
  expect(heard).toEqual(["credentials_refused: HTTP 401"]);
});

test("another refusal than 401 is nothing that a better credential mends", async () => {
  const { heard, over } = rig({}, [{ code: "credentials_refused", detail: "HTTP 403" }]);
  await over;
  expect(heard).toEqual(["credentials_refused: HTTP 403"]);
});

test("without anything to show nothing is sent, and the agent hears why", async () => {
  const authorize = async () => {
    throw new NotAuthorized("The grant was revoked");
  };
  const { sent, heard, over } = rig({ authorize }, []);
  await over;
  expect(sent).toEqual([]);
  expect(heard).toEqual(["not_authorized: The grant was revoked"]);
});

test("a surprise on the way says nothing of itself to the agent", async () => {
  const authorize = async () => {
    throw new Error("canary");
  };
  const { heard, over } = rig({ authorize }, []);
  await over;
  expect(heard.join()).not.toContain("canary");
});

test("whoever leaves while it is made is not sent for", async () => {
  const made = Promise.withResolvers<Record<string, string>>();
  const { sent, heard, sending } = rig({ authorize: async () => made.promise }, [undefined]);
  sending.leave();
  made.resolve({});
  await new Promise(setImmediate);
  expect([sent, heard]).toEqual([[], []]);
});
