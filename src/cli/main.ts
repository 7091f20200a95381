#!/usr/bin/env node
import { runCommandLine } from './commandLine.js';
import { ExitCode } from './exitCode.js';
import { leave } from './leave.js';

const code = await runCommandLine(process.argv.slice(2));
if (code === ExitCode.hungUp) leave(code);
else process.exitCode = code;
