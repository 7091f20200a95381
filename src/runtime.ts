/**
 * What runs this process, with its version. Deno and Bun have a process.versions.node as well: of the Node
 * that they imitate.
 */
export function runtime({ node, deno, bun }: NodeJS.ProcessVersions = process.versions): string {
  if (deno !== undefined) return `Deno ${deno}`;
  if (bun !== undefined) return `Bun ${bun}`;
  return `Node ${node}`;
}
