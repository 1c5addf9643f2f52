/**
 * A job in a process of its own, so that a test can end it as a machine ends: all at once.
 * Its agent makes one call, says `called`, and then works on for ever.
 *
 *   node test/support/doomed-job.ts JSON
 */
import { z } from "zod";
import { runJob } from "../../dev/runner.ts";
import { connectAgent } from "./agents.ts";

const DoomedJob = z.strictObject({
  action: z.string(),
  broker: z.string(),
  folder: z.string(),
  environment: z.record(z.string(), z.string()),
  server: z.string(),
  tool: z.string(),
  args: z.record(z.string(), z.unknown()),
});
export type DoomedJob = z.infer<typeof DoomedJob>;

const job = DoomedJob.parse(JSON.parse(process.argv[2] ?? ""));
await runJob({
  folder: job.folder,
  environment: job.environment,
  steps: [
    { id: "lanyard", uses: job.action, with: { broker: job.broker, robot: "triager" } },
    {
      id: "agent",
      call: async ({ outputs }) => {
        const agent = await connectAgent(outputs("lanyard")["mcp-config"] ?? "", job.server, "stateless");
        await agent.call(job.tool, job.args);
        console.log(`called ${outputs("lanyard")["review-url"]}`);
        await new Promise((resolve) => setTimeout(resolve, 10 * 60_000));
      },
    },
  ],
});
