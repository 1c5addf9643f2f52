/** The sample server says that it is ready only once it is. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, it } from "vitest";
import { startSampleServer } from "../../dev/sample-server.ts";

it("a port that somebody else has is said to be taken", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  await expect(startSampleServer(port)).rejects.toThrow(
    new RegExp(`^server-everything did not start on port ${port}: .*already in use`),
  );
  other.close();
});
