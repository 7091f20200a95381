// Last step of the build: makes the command executable and, in a checkout, lets `npx lowerbound` find it at once. Without
// the link npx would install the checkout as a package first, which builds everything again.

import { chmodSync, existsSync, rmSync, symlinkSync } from 'node:fs';

const command = new URL('../dist/cli/main.js', import.meta.url);
const commands = new URL('../node_modules/.bin/', import.meta.url);

chmodSync(command, 0o755);
// Windows needs shell scripts in place of links; there npx takes its long way.
if (existsSync(commands) && process.platform !== 'win32') {
  const link = new URL('lowerbound', commands);
  rmSync(link, { force: true });
  symlinkSync('../../dist/cli/main.js', link);
}
