/** A pipe between whoever connects and one server, which keeps every byte of both directions. */
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";

export interface RecordingPipe {
  readonly url: string;
  /** Until then connections wait. */
  leadTo(port: number): void;
  /** What went over each connection, to and fro. */
  recorded(): Buffer[];
  close(): Promise<void>;
}

export async function openRecordingPipe(): Promise<RecordingPipe> {
  const target = Promise.withResolvers<number>();
  const directions: Buffer[][] = [];
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket): void => {
    const chunks: Buffer[] = [];
    directions.push(chunks);
    sockets.add(from);
    from.on("data", (chunk: Buffer) => chunks.push(chunk));
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer({ pauseOnConnect: true }, (near) => {
    void target.promise.then((port) => {
      const far = connect({ host: "127.0.0.1", port });
      pass(near, far);
      pass(far, near);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo: (port) => target.resolve(port),
    recorded: () => directions.map((chunks) => Buffer.concat(chunks)),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
