// Which folder of src/ may import from which, checked by `npm run lint`. The table is the whole rule: an arrow that it does
// not name is an error, and so is a cycle between files.

const ROOT_FILES = ['abortSignal', 'errors', 'jsonLine', 'nearestName', 'printable', 'runtime'];

/** Folder: the folders that it may import from, besides itself and the files at the root of src/. */
const ARROWS = {
  arithmetic: [],
  kernels: [],
  report: [],
  data: ['kernels'],
  model: ['kernels', 'arithmetic'],
  objective: ['model', 'arithmetic'],
  schedule: ['model', 'arithmetic'],
  optimizer: ['model', 'kernels', 'arithmetic'],
  products: ['kernels'],
  sampling: ['model', 'kernels', 'arithmetic'],
  tfjs: ['products', 'kernels'],
  backends: ['tfjs', 'products', 'sampling', 'objective', 'optimizer', 'model', 'kernels', 'arithmetic'],
  collective: ['optimizer', 'kernels'],
  worker: ['collective', 'inference', 'backends', 'objective', 'optimizer', 'schedule', 'model', 'kernels'],
  runs: ['backends', 'objective', 'optimizer', 'schedule', 'model', 'data'],
  inference: ['backends', 'sampling', 'objective', 'model', 'kernels', 'arithmetic'],
  setup: ['backends', 'collective'],
  coordinator: [
    ...['worker', 'collective', 'backends', 'inference', 'runs', 'report', 'data'],
    ...['objective', 'optimizer', 'schedule', 'model', 'kernels'],
  ],
  cli: [
    ...['coordinator', 'setup', 'worker', 'backends', 'inference', 'runs', 'report', 'data'],
    ...['objective', 'optimizer', 'schedule', 'model', 'kernels'],
  ],
};

const folder = (name) => `^src/${name}/`;
const rootFiles = `^src/(${ROOT_FILES.join('|')})[.]ts$`;

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(ARROWS).map(([name, allowed]) => ({
      name: `arrows-of-${name}`,
      severity: 'error',
      from: { path: folder(name) },
      to: { path: '^src/', pathNot: [rootFiles, ...[name, ...allowed].map(folder)] },
    })),
    {
      name: 'folders-of-the-table',
      comment: 'A folder that the table does not name.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: Object.keys(ARROWS).map(folder) },
      to: {},
    },
    {
      name: 'root-files',
      comment: 'The files at the root of src/ import nothing of a folder, but for the entry of the library.',
      severity: 'error',
      from: { path: '^src/[^/]+[.]ts$', pathNot: '^src/index[.]ts$' },
      to: { path: '^src/[^/]+/' },
    },
  ],
  options: {
    // Types count: a cycle of types is a cycle of subjects.
    tsPreCompilationDeps: true,
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/kernels/assembly/' },
  },
};
