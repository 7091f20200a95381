// Constants that were chosen by measurement on one machine (docs/performance.md). Each names the command to
// compare before and after it is changed; `node build/…` wants `npm run build && npm run build:tests` first.
// They decide speed. None of them decides a bit of a run, with one exception: IN_PLACE_ROWS and TURNED_ROWS
// choose where the bias is added to a product of TensorFlow.js's kernels (products/matrixProduct.ts).
//
// Elsewhere stand what is compiled into the kernels (tiles/tile.ts, tiles/source.ts, assembly/) and the
// choice of a tile by Node's version and its flags (fastestTile in platform.ts).

// Matrices in general.

/**
 * Lines this many bytes apart, or a multiple, share a few sets of the caches.
 * Measured by `npm run bench -- kernels --model mlp`.
 */
export const COLLIDING_PITCH = 1024;

/**
 * Tiles of six rows are used as long as they compute at most this many times the rows that tiles of four
 * would: these are slower by about a fifth a row.
 * Measured by `npm run bench -- kernels --model cvae`.
 */
export const MOST_TALL_WASTE = 1.2;

/**
 * Rows for which gemmTransposed costs less than a panel does, by the panel's width: 0.4 to 0.7 of it. Where
 * the tile is 8 wide, on Node 20, the same code takes twice as long in one process of some fifteen (its
 * spills, presumably, by where the stack lies): two rows then cost what a panel does, three or four would
 * cost twice as much. Measured by `npm run bench -- kernels --model mlp`.
 */
export const FEW_TRANSPOSED_ROWS = { 8: 2, 16: 4 } as const;

// Convolutions of the simd engine and of TensorFlow.js's kernels.

/**
 * Most pixels of a filter gradient's block: both maps' block stays in the caches while all tiles of the
 * gradient pass over it. With fewer, loading and storing the tiles costs more than the first-level cache
 * gains. Measured by `npm run bench -- kernels --model cvae`.
 */
export const FILTER_BLOCK_PIXELS = 170;

/**
 * Bytes of the maps of a block of images or lines in TensorFlow.js's kernels: they should stay in the
 * second-level cache, beside the weights.
 * Measured by `node build/bench/tfjs/products.js`.
 */
export const MAP_BLOCK_BYTES = 768 * 1024;

/**
 * Pixels of such a block's target: its tables have a word for each.
 * Measured by `node build/bench/tfjs/products.js`.
 */
export const MOST_BLOCK_PIXELS = 16_384;

// Dense layers of the simd engine.

/**
 * From this many rows on, copying a panel, which then stays in the first-level cache for all of them, costs
 * less than the cache and page misses of reading it where it stands; the more so with several ranks, of which
 * another has written half of the weights. Measured by `npm run bench -- kernels --model mlp`.
 */
export const ROWS_WORTH_COPYING = 5;

/**
 * Panels that are copied at once: a row's part of them is some neighbouring cache lines, which come faster
 * than one. Measured by `npm run bench -- kernels --model mlp`.
 */
export const PANELS_AT_ONCE = 8;

/**
 * A forward pass with lists of nonzeros (assembly/lists.ts) costs less than a dense one up to this share of
 * them: each of its terms reads weights for one example alone.
 * Measured by `npm run bench -- kernels --model mlp`.
 */
export const FORWARD_SHARE_WORTH_LISTING = 0.4;

/**
 * A weight gradient from lists of nonzeros costs less than from all examples up to this share of them.
 * Measured by `npm run bench -- kernels --model mlp`.
 */
export const GRADIENT_SHARE_WORTH_LISTING = 0.7;

/**
 * Rows of weights at a time, a multiple of all tiles' heights: the gradient of so many stays in the caches
 * until Adam has read it. Of eight, so that a unit begins where a vector does.
 * Measured by `npm run bench -- step --model mlp --batch-size 128`.
 */
export const UNIT_ROWS = 48;

/**
 * Rows whose products for one weight cost as much as the weight costs otherwise, in Adam's memory traffic and
 * in the tree over the shards: a rough figure, for fair shares.
 * Measured by `npm run bench -- step --model mlp --batch-size 128`.
 */
export const ROWS_OF_OVERHEAD = 50;

/**
 * What a term of a list costs, in products of a dense gradient.
 * Measured by `npm run bench -- kernels --model mlp`.
 */
export const TERM_COST = 1.5;

/**
 * Share of the network's input that is not zero, for fair shares: that of MNIST's grey pixels.
 * Measured by `npm run bench -- step --model mlp --batch-size 128`.
 */
export const DATA_DENSITY = 0.2;

/**
 * The same of what a ReLU leaves.
 * Measured by `npm run bench -- step --model mlp --batch-size 128`.
 */
export const RELU_DENSITY = 0.5;

// Steps.

/**
 * Activations and gradients of a micro-batch, bytes: they should stay in a second-level cache of 2 MiB,
 * beside the weights. Measured by `npm run bench -- step --model cvae --batch-size 128`.
 */
export const WORKING_SET = 1.75 * 2 ** 20;

/**
 * Most examples of a micro-batch: more at once gain nothing.
 * Measured by `npm run bench -- step --model cvae --batch-size 128`.
 */
export const MOST_EXAMPLES = 64;

/**
 * Bytes of the largest map of a whole batch up to which weight gradients are computed by their owners.
 * Measured by `npm run bench -- step --model mlp --batch-size 128`, and with larger batches.
 */
export const OWNED_MAP = 2 * 2 ** 20;

/**
 * Loads of the generation word before a barrier sleeps, where each rank has a core: about 200 microseconds.
 * To be woken costs some 50, and ranks that wait for each other longer than that do not wait often.
 * Measured by `npm run bench -- all-reduce`.
 */
export const SPINS = 40_000;

/**
 * Rows of the decoder that a backend of TensorFlow.js computes at once: more gain nothing, and all
 * activations are kept until the gradient is done.
 * Measured by `npx lowerbound bench --model mlp`.
 */
export const ROWS_AT_ONCE = 256;

/**
 * Rows of a block of a dense weight gradient in TensorFlow.js's memory: they stay in the first-level cache
 * while all tiles of the gradient pass over them.
 * Measured by `npx lowerbound bench --model mlp`.
 */
export const GRADIENT_BLOCK_ROWS = 64;

// Matrix products of TensorFlow.js's kernels (products/matrixProduct.ts).

/**
 * Up to this many rows, packing all of B for them costs more than transposing A and reading B in place.
 * Measured by `node build/bench/tfjs/products.js`.
 */
export const IN_PLACE_ROWS = 32;

/**
 * Fewer lines than this stay in the cache although they share a few sets of it.
 * Measured by `node build/bench/tfjs/products.js`.
 */
export const FEW_LINES = 32;

/**
 * With so many rows and columns, and no more than MOST_COPIED_LINES lines, transposing A and packing B pays.
 * Measured by `node build/bench/tfjs/products.js`.
 */
export const LARGE_EXTENT = 64;

/**
 * See LARGE_EXTENT.
 * Measured by `node build/bench/tfjs/products.js`.
 */
export const MOST_COPIED_LINES = 1024;

/**
 * Up to this many rows, packing A for a product with a transposed B beats packing B.
 * Measured by `node build/bench/tfjs/products.js`.
 */
export const TURNED_ROWS = 64;

/**
 * Bytes of the rows at a time: they should stay in the second-level cache while all columns pass over them.
 * Measured by `node build/bench/tfjs/products.js`.
 */
export const ROW_BLOCK_BYTES = 512 * 1024;

/**
 * Most rows at a time.
 * Measured by `node build/bench/tfjs/products.js`.
 */
export const MOST_BLOCK_ROWS = 4092;

/**
 * Bytes of packed columns at a time, where all rows are one block: so many that B's rows are read in long
 * runs and the panels still stay in the second-level cache.
 * Measured by `node build/bench/tfjs/products.js`.
 */
export const PACKED_BYTES = 512 * 1024;

/**
 * The same where there are several blocks of rows: as many as is reasonable.
 * Measured by `node build/bench/tfjs/products.js`.
 */
export const MOST_PACKED_BYTES = 4 * 2 ** 20;

/**
 * Depth at a time where both operands are read in place: a block of their lines stays in the first-level
 * cache. Measured by `node build/bench/tfjs/products.js`.
 */
export const LINES_AT_ONCE = 128;

// Products by lists of nonzeros of TensorFlow.js's kernels (products/sparseProduct.ts).

/**
 * Up to this share of numbers that are not zero, lists beat dense products, by the columns that sumRows takes
 * at once: vectors in pairs read twice as much at a time, and reading sets its pace. Measured where no
 * columns are computed twice, by `npm run bench -- kernels --model mlp`.
 */
export const PRODUCT_SHARE_WORTH_LISTING = { 40: 0.52, 80: 0.62 } as const;

/**
 * Lists are worth it up to this part of the share where the rows of B that they need do not stay in the
 * first-level cache: there are too many of them, or they displace each other (COLLIDING_PITCH). Dense
 * products copy them. Measured by `npm run bench:peers -- --only tfjs`.
 */
export const UNCACHED_PART = 0.6;

/**
 * With fewer rows, looking whether all of B is finite costs what is gained.
 * Measured by `npm run bench:peers -- --only tfjs`.
 */
export const LEAST_LISTED_ROWS = 16;

/**
 * With fewer columns, listing costs what is gained.
 * Measured by `npm run bench:peers -- --only tfjs`.
 */
export const LEAST_LISTED_COLUMNS = 80;

/**
 * From so many multiply-adds on (50 to 100 µs), a look at a dense A costs a percent at most.
 * Measured by `npm run bench:peers -- --only tfjs`.
 */
export const LEAST_LISTED_PRODUCTS = 2 ** 21;

/**
 * Places of A that are looked at first, spread over all of it.
 * Measured by `npm run bench:peers -- --only tfjs`.
 */
export const LISTING_SAMPLES = 8;

/**
 * Floats of each.
 * Measured by `npm run bench:peers -- --only tfjs`.
 */
export const LISTING_SAMPLE_FLOATS = 128;

/**
 * Depth at a time: as many rows of B, as wide as sumRows takes them, stay in the first-level cache.
 * Measured by `npm run bench:peers -- --only tfjs`.
 */
export const MOST_LISTED_DEPTH = 144;

/**
 * Rows at a time: their lists and sums stay in the second-level cache.
 * Measured by `npm run bench:peers -- --only tfjs`.
 */
export const MOST_LISTED_ROWS = 256;
