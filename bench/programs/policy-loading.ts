/** Loads a policy directory as a starting broker does, and says how long it took. */
import { loadPolicies } from "../../policies/loading.ts";
import { type LoadingTime, PolicyDirectory } from "../program-contract.ts";
import { serveParent } from "./parent.ts";

await serveParent({}, async (question): Promise<LoadingTime> => {
  const { directory, repositories } = PolicyDirectory.parse(question);
  const start = performance.now();
  const loaded = await loadPolicies(directory);
  const elapsed = performance.now() - start;
  if (!loaded.ok)
    throw new Error(loaded.problems.map(({ file, message }) => `${file}: ${message}`).join("\n"));
  if (loaded.policies.repositories.size !== repositories) {
    throw new Error(`${loaded.policies.repositories.size} of ${repositories} repositories were loaded`);
  }
  return { elapsed_ms: elapsed };
});
