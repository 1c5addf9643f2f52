/** A program: looks an issuer's keys up as a broker does, led to a port of this machine, and writes what came of it. */
import { argv, stdout } from "node:process";
import { FetchFailed } from "../../broker/identity/fetched-document.ts";
import { fetchPublishedKeys } from "../../broker/identity/published-keys.ts";
import { divert } from "./tls-issuers.ts";

const [, , issuer = "", port = ""] = argv;
const found = await fetchPublishedKeys(issuer, {
  privateIssuers: [],
  resolve: async () => [{ address: "140.82.112.21", family: 4 }],
  requestTls: divert(Number(port)),
}).catch((error: unknown) => {
  if (!(error instanceof FetchFailed)) throw error;
  return error.message;
});
stdout.write(typeof found === "string" ? found : `${found.keys.length} key`);
