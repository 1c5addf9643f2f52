/** How long the disk takes to be sure of a few bytes: what every durable commit waits for. */
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const WRITES = 100;
const PAGE_BYTES = 4096;

/** Milliseconds of each of a hundred appended pages with `fdatasync`, where temporary files are. */
export async function timeSync(): Promise<number[]> {
  const directory = await mkdtemp(join(tmpdir(), "lanyard-bench-"));
  const file = await open(join(directory, "pages"), "w");
  try {
    const page = Buffer.alloc(PAGE_BYTES, 1);
    const times: number[] = [];
    for (let count = 0; count < WRITES; count += 1) {
      const start = performance.now();
      await file.write(page);
      await file.datasync();
      times.push(performance.now() - start);
    }
    return times;
  } finally {
    await file.close();
    await rm(directory, { recursive: true });
  }
}
