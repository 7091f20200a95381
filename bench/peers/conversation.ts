// What the JavaScript peers say and hear: docs/peers.md has the protocol.

import { createInterface } from 'node:readline';

/** Sends a message to the driver, as a line. */
export function answer(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/**
 * Tells the losses of the first steps, then runs as many steps as each line of input asks for. It ends with
 * the input.
 *
 * @param run resolves once all steps are computed.
 */
export async function serve(
  version: string,
  losses: readonly number[],
  run: (steps: number) => Promise<void>,
): Promise<void> {
  answer({ version, losses });
  for await (const line of createInterface({ input: process.stdin })) {
    const used = process.cpuUsage();
    const start = performance.now();
    await run(Number(line));
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(used);
    answer({ seconds, processorSeconds: (user + system) / 1e6 });
  }
}
