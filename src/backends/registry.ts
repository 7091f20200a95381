// The one place where names become backends.
import type { BackendName } from './backend.js';
import type { BackendDeclaration } from './declaration.js';
import { simd } from './simd/declaration.js';
import { cpu, native, wasm } from './tensorflow/declaration.js';

export const BACKENDS: Readonly<Record<BackendName, BackendDeclaration>> = { simd, wasm, native, cpu };
