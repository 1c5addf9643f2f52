/**
 * `npm run fuzz -- --minutes 10`: hostile agents and hostile servers on both sides of a real proxy.
 * Exit code 0: nothing found; 1: something, with what shows it again; 2: usage.
 */
import { parseArgs } from "node:util";
import { describe, runCampaign } from "./campaign.ts";

const USAGE = "npm run fuzz -- [--minutes N] [--seed N] [--path P]\n";

function readOptions(): { minutes: number; seed: number; path: string | undefined } | undefined {
  try {
    const { values } = parseArgs({
      options: { minutes: { type: "string" }, seed: { type: "string" }, path: { type: "string" } },
    });
    const minutes = Number(values.minutes ?? "1");
    const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
    return minutes > 0 && Number.isSafeInteger(seed) ? { minutes, seed, path: values.path } : undefined;
  } catch {
    return undefined;
  }
}

const options = readOptions();
if (options === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  const { minutes, seed, path } = options;
  const say = (line: string): boolean => process.stdout.write(`fuzz: ${line}\n`);
  say(`seed ${seed}, ${minutes} minutes`);
  const outcome = await runCampaign({ seed, durationMs: minutes * 60_000, path, progress: say });
  say(describe(outcome));
  for (const { seed: found, path: at, text } of outcome.failures) {
    process.stdout.write(`${text}\n`);
    say(`again: npm run fuzz -- --seed ${found} --path ${at}`);
    process.exitCode = 1;
  }
}
