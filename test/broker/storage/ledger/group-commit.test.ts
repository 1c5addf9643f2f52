/** Continuous group commit, with commits under the test's control. */
import { expect, test } from "vitest";
import { GroupCommit } from "../../../../broker/storage/ledger/group-commit.ts";
import { DatabaseUnavailable } from "../../../../broker/storage/unavailable.ts";

/** Every commit waits until it is let go. */
function startGroups(lanes: number) {
  const commits: { readonly requests: readonly number[]; readonly done: PromiseWithResolvers<void> }[] = [];
  const groups = new GroupCommit<number, string>({
    lanes,
    commit: async (requests) => {
      const done = Promise.withResolvers<void>();
      commits.push({ requests, done });
      await done.promise;
      return requests.map((request) => `done ${request}`);
    },
  });
  return { groups, commits };
}

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("who comes alone leaves at once; who comes meanwhile shares the next commit", async () => {
  const { groups, commits } = startGroups(1);
  const first = groups.submit(1);
  expect(commits.map(({ requests }) => requests)).toEqual([[1]]);
  const others = [groups.submit(2), groups.submit(3), groups.submit(4)];
  await turn();
  expect(commits).toHaveLength(1);
  commits[0]?.done.resolve();
  expect(await first).toBe("done 1");
  await turn();
  expect(commits.map(({ requests }) => requests)).toEqual([[1], [2, 3, 4]]);
  commits[1]?.done.resolve();
  expect(await Promise.all(others)).toEqual(["done 2", "done 3", "done 4"]);
});

test("several lanes: as many commits are on their way, and not more", async () => {
  const { groups, commits } = startGroups(2);
  const all = [1, 2, 3, 4].map(async (request) => groups.submit(request));
  expect(commits.map(({ requests }) => requests)).toEqual([[1], [2]]);
  commits[1]?.done.resolve();
  await turn();
  expect(commits.map(({ requests }) => requests)).toEqual([[1], [2], [3, 4]]);
  commits[0]?.done.resolve();
  commits[2]?.done.resolve();
  await Promise.all(all);
});

test("a database that is gone fails everybody in the group, and is asked again by the next", async () => {
  let gone = true;
  const groups = new GroupCommit<number, number>({
    lanes: 1,
    commit: async (requests) => {
      await turn();
      if (gone) throw new DatabaseUnavailable("gone");
      return requests;
    },
  });
  const failed = await Promise.allSettled([1, 2, 3].map(async (request) => groups.submit(request)));
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  gone = false;
  expect(await groups.submit(4)).toBe(4);
});

test("a request that makes its group fail is found by trying each alone", async () => {
  const tried: (readonly number[])[] = [];
  const groups = new GroupCommit<number, number>({
    lanes: 1,
    commit: async (requests) => {
      tried.push(requests);
      await turn();
      if (requests.includes(13)) throw new RangeError("thirteen");
      return requests;
    },
  });
  const results = await Promise.allSettled([1, 2, 13, 4].map(async (request) => groups.submit(request)));
  expect(
    results.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason))),
  ).toEqual([1, 2, "RangeError: thirteen", 4]);
  expect(tried).toEqual([[1], [2, 13, 4], [2], [13], [4]]);
});

test("more than may wait are turned away, and nobody who waits is lost", async () => {
  const { groups, commits } = startGroups(1);
  const waiting = Array.from({ length: 20_001 }, async (_, index) => groups.submit(index));
  await expect(groups.submit(-1)).rejects.toMatchObject({ code: "database_unavailable" });
  for (let index = 0; index < commits.length; index += 1) {
    commits[index]?.done.resolve();
    await turn();
  }
  expect(new Set(await Promise.all(waiting)).size).toBe(20_001);
});

test("a transaction that takes long, and two more: whoever comes later does not wait for them", async () => {
  const stuck = Promise.withResolvers<void>();
  const groups = new GroupCommit<number, number>({
    lanes: 1,
    commit: async (requests) => {
      if (requests.some((request) => request < 0)) await stuck.promise;
      return requests;
    },
  });
  const long = [groups.submit(-1)];
  expect(await groups.submit(1)).toBe(1);
  long.push(groups.submit(-2));
  expect(await groups.submit(2)).toBe(2);
  long.push(groups.submit(-3));
  expect(await groups.submit(3)).toBe(3);
  stuck.resolve();
  expect(await Promise.all(long)).toEqual([-1, -2, -3]);
  expect(await groups.submit(4)).toBe(4);
});
