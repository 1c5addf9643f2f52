/** Who STS says that the keys of a session are: asked with those keys themselves, which needs no permission at AWS. */
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { z } from "zod";
import type { EndContext, Minted } from "../../kind.ts";
import { connectToSts } from "./sts.ts";

const CallerIdentity = z.object({ Arn: z.string().min(1), Account: z.string().min(1) });

/** Throws where STS does not say it. */
export async function identifySession(
  { env }: Minted,
  { entry, ask }: EndContext<"aws-role">,
): Promise<readonly string[]> {
  const credentials = {
    accessKeyId: env["AWS_ACCESS_KEY_ID"] ?? "",
    secretAccessKey: env["AWS_SECRET_ACCESS_KEY"] ?? "",
    sessionToken: env["AWS_SESSION_TOKEN"] ?? "",
  };
  const region = env["AWS_REGION"] ?? "";
  const sts = connectToSts({ region, endpoint: entry.sts_url, credentials: async () => credentials, ask });
  try {
    const { Arn, Account } = CallerIdentity.parse(await sts.send(new GetCallerIdentityCommand({})));
    return [`arn: ${Arn}`, `account: ${Account}`];
  } finally {
    sts.destroy();
  }
}
