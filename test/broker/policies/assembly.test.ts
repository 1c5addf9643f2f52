/** Documents that somebody made to take long, or to be large when they are checked: the thread's limits hold. */
import { expect, test } from "vitest";
import { assembleApart } from "../../../broker/policies/assembly.ts";
import { ROLES, SERVERS, robotsDocument } from "../../support/broker.ts";

const files = [
  { path: "servers.yaml", text: SERVERS },
  { path: "roles.yaml", text: ROLES },
  { path: "robots/acme/payments.yaml", text: robotsDocument("https://issuer.example") },
];
const limits = { timeoutMs: 60_000, maxHeapMb: 512 };
const { signal } = new AbortController();

/** Nearly as large as a document may be: parsing it takes many times its size. */
const huge = (): { path: string; text: string } => {
  const grants = Array.from({ length: 6_000 }, (_, n) => `{ server: everything, tools: [t${n}] }`);
  return { path: "roles.yaml", text: `roles:\n  reader: { grants: [${grants.join(", ")}] }\n` };
};
const withHuge = () => ({
  files: files.map((file) => (file.path === "roles.yaml" ? huge() : file)),
  problems: [],
});

test("documents within the limits are assembled", async () => {
  expect(await assembleApart({ files, problems: [] }, { signal, limits })).toMatchObject({ ok: true });
});

test("a directory that takes longer than it may is a problem of the documents, and is tried again", async () => {
  const assembled = await assembleApart(withHuge(), { signal, limits: { ...limits, timeoutMs: 1 } });
  expect(assembled).toMatchObject({
    ok: false,
    unfinished: true,
    problems: [{ file: ".", message: "the documents take longer than 0.001 s to check" }],
  });
});

test("a directory that takes more memory than it may ends its thread, and nothing else", async () => {
  const assembled = await assembleApart(withHuge(), { signal, limits: { ...limits, maxHeapMb: 24 } });
  expect(assembled).toMatchObject({
    ok: false,
    unfinished: true,
    problems: [
      { file: ".", message: expect.stringMatching(/^the documents could not be checked \(.*memory/) },
    ],
  });
});

test("a broker that stops waits for none of it", async () => {
  const stopped = new AbortController();
  const assembled = assembleApart(withHuge(), { signal: stopped.signal });
  stopped.abort();
  await expect(assembled).rejects.toThrow(/abort/);
  await expect(assembleApart({ files, problems: [] }, { signal: stopped.signal })).rejects.toThrow(/abort/);
});
